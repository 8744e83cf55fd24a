"""The tools of the end-to-end tests against each other: no sallyport anywhere."""
import ssl
import struct
import unittest

import harness  # noqa: F401  (finds tests/support)

import cabinet
import catalogue
import coding
import corpus
import soap
from agent import Agent
from downstream import Downstream, Mismatch
from httpd import server_context
from pki import make
from replay_upstream import ReplayUpstream
from wire import Wire
from wsus_upstream import Upstream

SAMPLES = (b"", b"a", b"abc" * 100, bytes(range(256)) * 3, b"x" * 16352, b"y" * 70000,
           "更新".encode() * 9000, bytes(i * i % 251 for i in range(40000)))


class Codings(unittest.TestCase):
    def test_xpress_vectors(self) -> None:
        self.assertEqual(coding.xpress_encode(b"abc" * 100).hex(),
                         "2c0100000d000000ffffff1f61626317000fff2601")
        letters = bytes(range(ord("a"), ord("z") + 1))
        self.assertEqual(coding.xpress_encode(letters).hex(),
                         "1a0000001e0000003f000000" + letters.hex())
        payload = bytes.fromhex("000000114142431000444546")
        self.assertEqual(coding.xpress_decode(struct.pack("<ii", 9, len(payload)) + payload),
                         b"ABCABCDEF")

    def test_round_trips(self) -> None:
        for sample in SAMPLES:
            for matches in (True, False):
                self.assertEqual(coding.xpress_decode(coding.xpress_encode(sample, matches)),
                                 sample)
            self.assertEqual(coding.decode("gzip", coding.encode("gzip", sample)), sample)

    def test_stored_block(self) -> None:
        self.assertEqual(coding.xpress_decode(struct.pack("<ii", 5, 5) + b"plain"), b"plain")

    def test_broken_xpress_is_told(self) -> None:
        good = coding.xpress_encode(b"abc" * 100)
        for bad in (good[:-1], good[:7], b"\0" * 8, good[:8] + b"\xff" * 13):
            with self.assertRaises(coding.CodingError):
                coding.xpress_decode(bad)

    def test_bombs_are_small_and_large(self) -> None:
        self.assertLess(len(coding.gzip_bomb(1 << 24)), 1 << 16)
        bomb = coding.xpress_bomb(1 << 20)
        self.assertLess(len(bomb), 1 << 10)
        self.assertGreater(len(coding.xpress_decode(bomb)), 1 << 19)

    def test_cabinets(self) -> None:
        for sample in SAMPLES[1:]:
            for kind in (cabinet.NONE, cabinet.MSZIP):
                self.assertEqual(cabinet.read(cabinet.write(sample, kind)), sample)
        packed = cabinet.write(b"z" * 100000)
        for bad in (packed[:-1], b"X" + packed[1:], packed[:80] + b"?" + packed[81:]):
            with self.assertRaises(cabinet.CabinetError):
                cabinet.read(bad)


class Catalogues(unittest.TestCase):
    def test_is_the_same_every_time(self) -> None:
        one, two = (catalogue.Catalogue(3, 60, 10, big=0) for _ in range(2))
        self.assertEqual([r.blob for r in one.revisions], [r.blob for r in two.revisions])
        self.assertEqual([f.sha256 for f in one.files], [f.sha256 for f in two.files])
        other = catalogue.Catalogue(4, 60, 10, big=0)
        self.assertNotEqual(one.revisions[0].key, other.revisions[0].key)

    def test_size_and_blobs(self) -> None:
        made = catalogue.Catalogue()
        self.assertGreaterEqual(len(made.revisions), 300)
        self.assertGreaterEqual(len(made.by_digest), 50)
        self.assertGreaterEqual(max(f.size for f in made.files), 20 << 20)
        kinds = {r.blob[0] for r in made.revisions}
        self.assertEqual(kinds, {"XmlUpdateBlob", "XmlUpdateBlobCompressed"})

    def test_content_from_any_offset(self) -> None:
        file = catalogue.File("f.cab", (3 << 20) + 5, "x")
        whole = file.read()
        self.assertEqual(len(whole), file.size)
        for first, end in ((0, 1), (1048575, 1048577), (2 << 20, 3 << 20), (file.size - 1, None)):
            self.assertEqual(file.read(first, end), whole[first:end])


class TlsCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.pki = make()
        cls.catalogue = catalogue.Catalogue(7, 120, 20, big=3 << 20)

    def upstream(self, mode: str = "identity") -> Upstream:
        upstream = Upstream(self.catalogue, *self.pki.pair("upstream"), mode=mode)
        self.addCleanup(upstream.close)
        return upstream

    def downstream(self, upstream: Upstream, **options) -> Downstream:
        server = Downstream(upstream.url, self.pki.ca, **options)
        self.addCleanup(server.close)
        return server


class Runs(TlsCase):
    def test_sync_in_every_coding(self) -> None:
        for mode, accept in (("identity", "xpress"), ("chunked", ""), ("gzip", "gzip"),
                             ("xpress", "xpress"), ("gzip-chunked", "gzip")):
            with self.subTest(mode):
                upstream = self.upstream(mode)
                server = self.downstream(upstream, accept=accept)
                synced = server.sync(replica=True)
                server.rollup()
                self.assertEqual({k: r.document for k, r in self.catalogue.by_key.items()},
                                 synced.documents)
                self.assertEqual(set(self.catalogue.by_digest), set(synced.claims))
                self.assertTrue(synced.plain and synced.compressed)
                coded = mode.partition("-")[0]
                self.assertEqual(coded in ("gzip", "xpress"), bool(upstream.coded.get(coded)))
                self.assertEqual(upstream.tls.errors + upstream.plain.errors, [])

    def test_content(self) -> None:
        upstream = self.upstream()
        for content in ("", upstream.url):
            server = self.downstream(upstream, content=content)
            for claim in server.sync().claims.values():
                self.assertEqual(server.download(claim),
                                 self.catalogue.by_digest[claim.sha1].read())
                server.download_ranges(claim)

    def test_agent(self) -> None:
        upstream = self.upstream("xpress")
        with Agent(upstream.url, self.pki.ca) as agent:
            scanned = agent.scan()
            self.assertEqual(len(scanned.updates), len(self.catalogue.revisions))
            self.assertEqual(len(scanned.extended), len(self.catalogue.revisions))
            for claim in scanned.claims.values():
                agent.download(claim)
            self.assertEqual(set(agent.file_locations(list(scanned.claims))), set(scanned.claims))
            agent.report()
        self.assertEqual(len(upstream.reports), 1)
        self.assertGreater(scanned.pages, 3)

    def test_faults(self) -> None:
        server = self.downstream(self.upstream())
        for operation, members, code in (
                ("GetConfigData", "<cookie />", "InvalidCookie"),
                ("GetCookie", "<authCookies />", "InvalidAuthorizationCookie")):
            with self.assertRaises(soap.Fault) as caught:
                server.call(operation, members)
            self.assertEqual((caught.exception.status, caught.exception.code), (500, code))
        server.authorize()
        with self.assertRaises(soap.Fault) as caught:
            server.update_data([("00000000-0000-0000-0000-000000000001", 1)])
        self.assertEqual(caught.exception.code, "InternalServerError")


class Lies(TlsCase):
    """Each lie is visible to somebody who looks, so a test that sees none proves something."""

    def setUp(self) -> None:
        self.up = self.upstream()
        self.server = self.downstream(self.up, accept="")
        self.server.authorize()
        self.leaf = next(r for r in self.catalogue.revisions if len(r.files) > 1)

    def ask(self) -> str:
        self.server.update_data([self.leaf.key])
        return self.server.synced.documents[self.leaf.key]

    def test_changed_documents(self) -> None:
        for mode in ("change", "pi", "dtd", "entity", "short-digest"):
            self.up.hostile.documents[self.leaf.update_id] = mode
            try:
                self.assertNotEqual(self.ask(), self.leaf.document, mode)
            except Mismatch:
                self.assertEqual(mode, "short-digest")

    def test_unreadable_documents(self) -> None:
        for mode in ("odd", "surrogate", "cut-cabinet", "flip-cabinet", "wrong-number", "bomb"):
            self.up.hostile.documents[self.leaf.update_id] = mode
            with self.assertRaises((ValueError, Mismatch, SyntaxError), msg=mode):
                if self.ask() != self.leaf.document:
                    raise Mismatch("changed")

    def test_wrong_lists(self) -> None:
        for mode in ("other", "drop", "add"):
            self.up.hostile.digests[self.leaf.update_id] = mode
            with self.assertRaises(Mismatch, msg=mode):
                self.ask()

    def test_swapped_and_extra(self) -> None:
        other = next(r for r in self.catalogue.of_kind("leaf") if r is not self.leaf)
        self.up.hostile.swap = (self.leaf.update_id, other.update_id)
        with self.assertRaises(Mismatch):
            self.ask()
        self.up.hostile.reset()
        self.assertEqual(self.ask(), self.leaf.document)
        self.up.hostile.extra = other
        with self.assertRaises(Mismatch):
            self.ask()

    def test_wrong_replies(self) -> None:
        for mode in ("truncated", "truncated-chunked", "reset", "redirect", "fault", "html",
                     "unavailable", "unknown-coding", "false-gzip", "bad-utf8",
                     "wrong-operation", "entity"):
            self.up.hostile.replies = {"GetUpdateData": mode}
            if mode == "entity":  # legal XML for a careless reader: what it says is unchanged
                self.assertEqual(self.ask(), self.leaf.document)
                continue
            with self.assertRaises(Exception, msg=mode):
                self.ask()
        self.up.hostile.replies = {"GetAuthConfig": "absolute-url"}
        with self.assertRaises(ValueError):
            self.server.authorize()

    def test_wrong_content(self) -> None:
        self.ask()
        claim = max(self.server.synced.claims.values(), key=lambda c: c.size)
        for mode in ("flip", "short", "long", "truncated", "reset", "redirect", "404", "503",
                     "html", "gzip"):
            self.up.hostile.content = {claim.sha1.hex().upper(): mode}
            with self.assertRaises(Exception, msg=mode):
                self.server.download(claim)
        self.up.hostile.reset()
        self.server.download(claim)

    def test_wrong_claims(self) -> None:
        lying = catalogue.Catalogue(7, 30, 5, big=0, lies=True)
        with Upstream(lying, *self.pki.pair("upstream")) as upstream:
            server = self.downstream(upstream)
            server.sync()
            for kind, file in lying.liars.items():
                with self.assertRaises(Mismatch, msg=kind):
                    server.download(server.synced.claims[file.claim_sha1])


class Transport(TlsCase):
    def test_no_request_byte_without_trust(self) -> None:
        """The log shows that a caller which refused the certificate sent nothing."""
        with Upstream(self.catalogue, *self.pki.pair("hostile/other-ca")) as upstream:
            with self.assertRaises(ssl.SSLError):
                self.downstream(upstream).authorize()
            self.assertEqual(upstream.app_bytes(), 0)
            self.assertEqual(len(upstream.tls.connections), 1)
        honest = self.upstream()
        self.downstream(honest).authorize()
        self.assertGreater(honest.app_bytes(), 0)

    def test_old_tls_only(self) -> None:
        old = ssl.TLSVersion.TLSv1
        context = server_context(*self.pki.pair("upstream"), oldest=old, newest=old)
        with Upstream(self.catalogue, context=context) as upstream:
            with self.assertRaises(ssl.SSLError):
                self.downstream(upstream).authorize()
            self.assertEqual(upstream.app_bytes(), 0)

    def test_plain_port_has_no_soap(self) -> None:
        upstream = self.upstream()
        with Wire(f"http://localhost:{upstream.plain.port}") as wire:
            envelope = soap.request("GetAuthConfig", soap.S, "")
            self.assertEqual(wire.post(soap.SERVER_SYNC, soap.S + "/GetAuthConfig",
                                       envelope).status, 403)


class Recordings(unittest.TestCase):
    def test_replay_of_itself(self) -> None:
        pki = make()
        for folder in ("C-wsusss-dialogue", "C-wusp"):
            recorded = corpus.dialogue(folder)
            self.assertGreater(len(recorded), 10)
            for mode in ("identity", "chunked", "gzip", "xpress"):
                with self.subTest(folder=folder, mode=mode), \
                        ReplayUpstream(recorded, *pki.pair("upstream"), mode=mode) as upstream, \
                        Wire(upstream.url, pki.ca) as wire:
                    for entry in recorded:
                        accept = mode if mode in ("gzip", "xpress") else ""
                        answer = wire.post(entry.target, entry.action, entry.request, accept)
                        self.assertEqual(answer.status, entry.status, entry.name)
                        self.assertEqual(coding.decode(answer.coding, answer.body),
                                         entry.response, entry.name)
                    self.assertEqual(upstream.strays + upstream.unknown, [])


if __name__ == "__main__":
    unittest.main()
