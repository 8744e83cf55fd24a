"""Cosignatures: a sallyport cosigns the ledgers of others while they only grow, and says no to
everything else. Signatures and proofs are made and checked by tests/support/tlog.py."""
import hashlib
import time
import unittest

import harness  # noqa: F401

import tlog
from catalogue import Catalogue
from gate import Gate
from scene import Scene, raw, statuses

PATH = "/witness/add-checkpoint"


class Ledger:
    """Somebody's ledger: entries, a key, and what is sent for a cosignature."""

    def __init__(self, name: str, size: int = 0) -> None:
        self.name, self.seed = name, hashlib.sha256(name.encode()).digest()
        self.leaves = [tlog.leaf_hash(b"entry %d" % n) for n in range(size)]

    @property
    def key(self) -> str:
        return tlog.verifier_key(self.name, self.seed)

    def note(self, size: int) -> bytes:
        root = tlog.root_of(self.leaves[:size])
        text = f"{self.name}\n{size}\n{tlog.base64_of(root)}\n"
        data = b"\1" + tlog.ed25519_public(self.seed)
        signed = tlog.key_id(self.name, data) + tlog.ed25519_sign(self.seed, text.encode())
        return f"{text}\n— {self.name} {tlog.base64_of(signed)}\n".encode()

    def ask(self, old: int, size: int) -> bytes:
        proof = tlog.prove_consistency(old, self.leaves[:size]) if 0 < old < size else []
        lines = "".join(tlog.base64_of(h) + "\n" for h in proof)
        return f"old {old}\n{lines}\n".encode() + self.note(size)


class Cosign(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(31, 12, 4, 0)

    def witness(self, *ledgers: Ledger, **settings) -> Gate:
        return self.gate(self.upstream(self.catalogue), listener_more='tlog_witness = "on"\n',
                         cosigns=[one.key for one in ledgers], **settings)

    def key_of(self, gate: Gate) -> tlog.Key:
        text = (gate.state_dir / "witness" / "key.pub").read_text()
        return tlog.key_of(text, tlog.COSIGNER)

    def post(self, gate: Gate, body: bytes):
        return self.wire(gate.url).ask("POST", PATH, body=body)

    def assert_cosigned(self, gate: Gate, ledger: Ledger, old: int, size: int) -> None:
        reply = self.post(gate, ledger.ask(old, size))
        self.assertEqual(reply.status, 200, reply.body)
        times = tlog.cosignature_times(ledger.note(size) + reply.body, self.key_of(gate))
        self.assertEqual(len(times), 1)
        self.assertLess(abs(times[0] - time.time()), 600)

    def assert_status(self, gate: Gate, body: bytes, status: int, size: int | None = None) -> None:
        reply = self.post(gate, body)
        self.assertEqual(reply.status, status, reply.body)
        kind = reply.headers["content-type"]
        self.assertEqual(kind == "text/x.tlog.size", size is not None, kind)
        if size is not None:
            self.assertEqual(reply.body, b"%d\n" % size)

    def test_b_a_ledger_that_grows_is_cosigned(self) -> None:
        branch, other = Ledger("example.net/branch", 600), Ledger("example.net/other", 5)
        gate = self.witness(branch, other)
        for old, size in ((0, 1), (1, 2), (2, 257), (257, 257), (257, 600)):
            self.assert_cosigned(gate, branch, old, size)
        self.assert_cosigned(gate, other, 0, 5)
        told = [line["message"] for line in gate.log() if line["event"] == "cosigner"]
        self.assertIn((gate.state_dir / "witness" / "key.pub").read_text().strip(), told[0])

    def test_f_who_stands_elsewhere_is_told_where(self) -> None:
        branch = Ledger("example.net/branch", 40)
        gate = self.witness(branch)
        self.assert_cosigned(gate, branch, 0, 20)
        gate.restart()
        self.assert_status(gate, branch.ask(0, 30), 409, size=20)
        self.assert_status(gate, branch.ask(10, 30), 409, size=20)
        self.assert_status(gate, branch.ask(10, 10), 409, size=20)  # rolled back
        self.assert_status(gate, branch.ask(25, 30), 409, size=20)
        self.assert_status(gate, branch.ask(30, 20), 400)
        self.assert_cosigned(gate, branch, 20, 30)

    def test_f_a_fork_is_not_cosigned_and_kept(self) -> None:
        branch, fork = Ledger("example.net/branch", 40), Ledger("example.net/branch", 40)
        fork.leaves[3] = tlog.leaf_hash(b"another entry")
        gate = self.witness(branch)
        self.assert_cosigned(gate, branch, 0, 20)
        before = gate.status()["ledger"]["entries"]
        for _ in range(3):
            self.assert_status(gate, fork.ask(20, 30), 422)
            self.assert_status(gate, fork.ask(20, 20), 409)
        gate.restart()
        self.assert_status(gate, fork.ask(20, 40), 422)
        kept = sorted((gate.state_dir / "evidence").iterdir())
        self.assertEqual([p.suffix for p in kept], [".asked", ".seen"] * 2)
        for path in kept:  # both branches, by one key
            note = path.read_bytes()
            note = note.split(b"\n\n", 1)[1] if path.suffix == ".asked" else note
            tlog.open_checkpoint(note, tlog.key_of(branch.key))
        entries = [gate.command("ledger", "show", str(before + n)).stdout for n in range(2)]
        self.assertEqual(gate.status()["ledger"]["entries"], before + 2)
        self.assertEqual(sorted(e.split("tier.state ")[1].split("\n")[0] for e in entries),
                         ["forked", "unreadable"])
        self.assertTrue(all("tier.origin example.net/branch\n" in e for e in entries))
        self.assert_cosigned(gate, branch, 20, 40)  # the true branch goes on

    def test_f_what_is_no_ask_is_refused(self) -> None:
        branch, stranger = Ledger("example.net/branch", 9), Ledger("example.net/stranger", 9)
        gate = self.witness(branch)
        thief = Ledger("example.net/branch", 9)
        thief.seed = bytes(32)
        good = branch.ask(0, 9)
        for body, status in ((stranger.ask(0, 9), 404), (thief.ask(0, 9), 403), (b"", 400),
                             (good[:-40], 400), (good.replace(b"old 0", b"old 00"), 400),
                             (good.replace(b"\n9\n", b"\n8\n"), 403), (b"old 0\n\n", 400)):
            self.assert_status(gate, body, status)
        self.assertEqual(self.post(gate, b"A" * 30000).status, 413)
        self.assertEqual(self.wire(gate.url).ask("GET", PATH).status, 405)
        self.assert_cosigned(gate, branch, 0, 9)

    def test_f_it_is_off_unless_it_is_on(self) -> None:
        branch = Ledger("example.net/branch", 9)
        gate = self.gate(self.upstream(self.catalogue), cosigns=[branch.key])
        self.assertEqual(self.post(gate, branch.ask(0, 9)).status, 404)
        gate = self.witness(branch)
        body = branch.ask(0, 9)
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        plain = raw(gate.http_port, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.assertEqual(statuses(plain + b"X"), [404])


if __name__ == "__main__":
    unittest.main()
