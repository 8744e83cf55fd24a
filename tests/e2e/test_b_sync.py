"""A downstream WSUS and an agent do their whole run through sallyport."""
import unittest

import harness  # noqa: F401

import catalogue
from downstream import Mismatch
from scene import Scene

SENT_UPSTREAM = {"host", "content-type", "content-length", "soapaction", "user-agent",
                 "accept-encoding", "accept", "range", "connection"}


class FullRun(Scene):
    """At least 300 revisions and 50 files."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue()

    def test_metadata_in_every_coding(self) -> None:
        upstream = self.upstream(self.catalogue)
        gate = self.gate(upstream)
        for mode in ("identity", "chunked", "gzip", "xpress", "gzip-chunked"):
            for accept in ("xpress", "gzip", ""):
                with self.subTest(upstream=mode, downstream=accept):
                    upstream.mode = mode
                    server = self.downstream(gate, accept=accept)
                    self.assert_synced(self.catalogue, server.sync(replica=True))
                    self.assertTrue(server.synced.plain and server.synced.compressed)
        self.assertGreater(upstream.coded["gzip"], 0)
        self.assertGreater(upstream.coded["xpress"], 0)
        count = len(self.catalogue.revisions)
        self.assertEqual(gate.metric("sallyport_revisions_total", seen="first"), count)
        self.assertEqual(gate.metric("sallyport_revisions_total", seen="again"), 14 * count)
        self.assertEqual(gate.metric("sallyport_refusals_total", what="metadata"), 0)
        self.assertEqual(gate.stop(), 0)
        gate.verify_ledger()

    def test_content_over_http_and_tls(self) -> None:
        self.assertGreaterEqual(len(self.catalogue.by_digest), 50)
        upstream = self.upstream(self.catalogue, "xpress")
        gate = self.gate(upstream)
        for content in (gate.http_url, gate.url):
            server = self.downstream(gate, content=content)
            for claim in server.sync().claims.values():
                with server.content_wire() as wire:
                    data = server.download(claim, wire)
                self.assert_bytes(data, self.catalogue.by_digest[claim.sha1].read(), claim)
        # the second round came from the cache: one GET a file reached the upstream
        targets = [r.target for r in upstream.content_requests()]
        self.assertEqual(sorted(targets),
                         sorted(f.path for f in self.catalogue.by_digest.values()))
        self.assertEqual(gate.check_objects(), len({f.sha256 for f in self.catalogue.files}))
        self.assertEqual(gate.staged(), [])

    def test_reporting_and_download_files(self) -> None:
        upstream = self.upstream(self.catalogue)
        server = self.downstream(self.gate(upstream))
        server.authorize()
        server.rollup()
        server.download_files(list(self.catalogue.by_digest)[:100])
        self.assert_fault(lambda: server.download_files([bytes(20)]), "^A{27}=$",
                          codes=("FileDigestsMissing",))

    def test_restart_keeps_what_is_proven(self) -> None:
        upstream = self.upstream(self.catalogue)
        gate = self.gate(upstream)
        server = self.downstream(gate)
        claims = list(server.sync().claims.values())[:5]
        for claim in claims:
            server.download(claim)
        before = len(upstream.content_requests())
        server.close()
        gate.restart()
        for claim in claims:
            server.download(claim)
        self.assertEqual(len(upstream.content_requests()), before)


class Clients(Scene):
    def test_agent(self) -> None:
        made = catalogue.Catalogue(11, 150, 25, big=3 << 20)
        upstream = self.upstream(made, "xpress")
        gate = self.gate(upstream)
        self.downstream(gate).sync()  # custody: content is named by documents that passed
        agent = self.agent(gate)
        scanned = agent.scan()
        self.assertEqual(set(scanned.updates), {r.local_id for r in made.revisions})
        for revision in made.revisions:
            self.assertEqual(scanned.updates[revision.local_id], revision.core)
            self.assertEqual(scanned.extended[revision.local_id],
                             [revision.extended, revision.localized])
        for claim in scanned.claims.values():
            agent.download(claim)
        agent.report()
        self.assertEqual(len(upstream.reports), 1)

    def test_content_needs_custody(self) -> None:
        """A client that asks before any downstream synced gets no file."""
        made = catalogue.Catalogue(12, 40, 5, big=0)
        upstream = self.upstream(made)
        agent = self.agent(self.gate(upstream))
        agent.scan()
        with self.assertRaisesRegex(Mismatch, r"\b404\b"):
            agent.download(next(iter(agent.scanned.claims.values())))
        self.assertEqual(upstream.content_requests(), [])


class Rebuilt(Scene):
    def test_nothing_of_the_asker_travels_on(self) -> None:
        made = catalogue.Catalogue(13, 40, 5, big=0)
        upstream = self.upstream(made)
        gate = self.gate(upstream)
        server = self.downstream(gate)
        claim = next(iter(server.sync().claims.values()))
        noise = {"X-Forwarded-For": "10.9.8.7", "Cookie": "tasty=1", "Authorization": "NTLM AAAA",
                 "MS-CV": "mark/+123", "X-Original-URL": "/ApiRemoting30/WebService.asmx",
                 "If-Range": '"noise"', "Via": "1.1 noise"}
        answer = server.content_wire()
        self.addCleanup(answer.close)
        self.assertEqual(answer.ask("GET", claim.path, noise).status, 200)
        for request in upstream.requests():
            names = {k.lower() for k, _ in request.headers}
            self.assertLessEqual(names, SENT_UPSTREAM, request.head)
            self.assertNotRegex(request.head.decode("latin-1"), "noise|10.9.8.7|tasty|mark")
            self.assertIn(request.header("Host"), upstream.url)


if __name__ == "__main__":
    unittest.main()
