"""The recorded dialogue of a Windows Server 2025 WSUS with a downstream, through sallyport."""
import unittest

import harness  # noqa: F401

import corpus
from replaying import CODINGS, Replaying


class ServerToServer(Replaying):
    folder = "C-wsusss-dialogue"

    def test_bytes_arrive_as_recorded(self) -> None:
        for mode in CODINGS:
            for accept in ("xpress", "gzip", ""):
                with self.subTest(upstream=mode, downstream=accept):
                    self.replay(mode, accept)

    def test_recorded_documents_are_in_the_ledger(self) -> None:
        """What sallyport decoded from the recorded blobs (LZX) is what an independent decoder
        made of them: the ledger holds the digest of each document."""
        import hashlib
        expected = corpus.expected_documents()
        recorded, _, gate = self.dialogue("identity")
        seen = set()
        for entry in recorded:
            self.send(gate, entry, "")
            if entry.operation == "GetUpdateData" and entry.status == 200:
                seen |= {pair for pair, _, _ in corpus.blobs(entry)}
        self.assertTrue(seen)
        self.assertEqual(gate.metric("sallyport_revisions_total", seen="first"), len(seen))
        gate.stop()
        ledger = "".join(gate.command("ledger", "show", str(i)).stdout for i in range(len(seen)))
        for pair in seen & set(expected):
            digest = hashlib.sha256(expected[pair].encode()).hexdigest()
            self.assertIn(digest, ledger, f"{pair} was decoded to something else")
        self.assertTrue(seen & set(expected), "no recorded document to compare with")


if __name__ == "__main__":
    unittest.main()
