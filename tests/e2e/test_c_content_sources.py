"""Content that the upstream does not deliver comes from where metadata says, if that host is listed."""
import unittest

import harness  # noqa: F401

import catalogue
from gate import hang_up, wait_until
from httpd import Reply, Request
from scene import Scene
from wsus_upstream import Upstream


class ContentHost(Upstream):
    """A content host: files of a catalogue under the paths of their MUUrl."""

    def handle(self, request: Request) -> Reply:
        file = next((f for f in self.catalogue.by_digest.values()
                     if request.target == path_of(f)), None)
        return self._file(request, file) if file else Reply(404)

    def asked(self) -> list[tuple[str, bool]]:
        return [(r.target, r.tls) for r in self.requests()]


def path_of(file: catalogue.File) -> str:
    return "/" + catalogue.File.mu_url.fget(file).split("/", 3)[3]


class Sources(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(91, 40, 15, big=20 << 20)

    def open(self, certificate: str = "upstream", **settings) -> None:
        self.up = self.upstream(self.catalogue)
        self.host = ContentHost(self.catalogue, *self.pki.pair(certificate))
        self.addCleanup(self._close_upstream, self.host)
        self.up.mu_host = f"localhost:{self.host.tls.port}"
        self.up.hostile.content["*"] = "404"
        listed = settings.pop("listed", self.up.mu_host)
        self.door = self.gate(self.up, upstream_more=(
            '  content_sources = "upstream-then-microsoft"\n'
            f'  content_hosts = {{ "{listed}" }}  content_ca_file = "{self.pki.ca}"\n'), **settings)
        self.server = self.downstream(self.door)
        claims = self.server.sync().claims.values()
        self.claims = sorted((c for c in claims if c.size > 100_000), key=lambda c: c.size)
        self.claim = self.claims[0]
        self.file = self.catalogue.by_digest[self.claim.sha1]

    def get(self):
        return self.wire(self.door.http_url).ask("GET", self.claim.path)

    def entry(self) -> str:
        """The newest entry."""
        last = self.door.status()["ledger"]["entries"] - 1
        return self.door.command("ledger", "show", str(last)).stdout

    def test_upstream_without_files(self) -> None:
        self.open()
        for claim in self.claims[:3]:
            self.server.download(claim)
        self.assertEqual(len(self.up.content_requests()), 3)
        self.assertEqual(self.host.asked(),
                         [(path_of(self.catalogue.by_digest[c.sha1]), True) for c in self.claims[:3]])
        self.assertIn(self.up.mu_host, self.entry())
        fills = [line for line in self.door.log() if line.get("event") == "fill"]
        self.assertEqual({line["source"] for line in fills}, {self.up.mu_host})
        self.door.check_objects()
        self.door.verify_ledger()

    def test_known_after_a_restart(self) -> None:
        self.open()
        self.door.restart()
        self.server.download(self.claim)
        self.assertEqual(len(self.host.asked()), 1)

    def test_upstream_that_has_files_is_asked_alone(self) -> None:
        self.open()
        self.up.hostile.content.clear()
        self.server.download(self.claim)
        self.assertEqual(self.host.asked(), [])

    def test_upstream_that_dies_half_way(self) -> None:
        """The source goes on where the upstream stopped."""
        self.open()
        self.claim = self.claims[-1]
        self.file = self.catalogue.by_digest[self.claim.sha1]
        self.up.hostile.content.clear()
        self.up.hostile.cuts = [9 << 20] + [0] * 20
        self.up.hostile.changed = "9"
        self.server.download(self.claim)
        asked = [r.header("Range") for r in self.host.requests()]
        self.assertEqual(asked, [f"bytes={9 << 20}-"])
        self.assertEqual(self.host.content_bytes(), self.claim.size - (9 << 20))
        self.door.check_objects()

    def test_host_that_is_not_listed(self) -> None:
        self.open(listed="other.example.net")
        answer = self.get()
        self.assertEqual(answer.status, 404, answer.body[:200])
        self.assertEqual([c for s in self.host.servers for c in s.connections], [])

    def test_host_that_is_listed_no_more(self) -> None:
        """An address that is remembered is held against the list in force."""
        self.open()
        more = self.door.settings["upstream_more"].replace(self.up.mu_host, "other.example.net")
        self.door.write_config(upstream_more=more)
        hang_up(self.door)
        wait_until("the reload", lambda: any("reload" in e["event"] for e in self.door.log()))
        self.assertEqual(self.get().status, 404)
        self.assertEqual(self.host.asked(), [])

    def test_wrong_bytes(self) -> None:
        self.open()
        self.host.hostile.flips = [5000]
        answer = self.get()
        self.assertEqual(answer.status, 502)
        self.assertIn(self.up.mu_host, answer.body.decode())
        self.assertIn("file-sha", answer.body.decode())
        self.assertIn(self.up.mu_host, self.entry())
        self.assertTrue(list((self.door.cache_dir / "quarantine").iterdir()))
        refusals = self.door.status()["refusals"]
        self.assertIn(self.up.mu_host, str(refusals))
        self.host.hostile.reset()
        self.server.download(self.claim)
        self.door.check_objects()

    def without_tls(self) -> None:
        """The content host's TLS port is closed: its plain one is all there is."""
        self.host.tls.close()

    def test_plain_only_where_it_is_allowed(self) -> None:
        self.open()
        self.without_tls()
        answer = self.get()
        self.assertEqual(answer.status, 404)
        self.assertIn(self.up.mu_host, answer.body.decode())
        self.assertEqual(self.host.asked(), [])

    def test_plain_where_it_is_allowed(self) -> None:
        self.open(content_transport="https-or-http")
        self.without_tls()
        self.server.download(self.claim)
        self.assertEqual(self.host.asked(), [(path_of(self.file), False)])
        self.door.check_objects()

    def test_wrong_bytes_over_plain_http(self) -> None:
        self.open(content_transport="https-or-http")
        self.without_tls()
        self.host.hostile.flips = [5000]
        self.assertEqual(self.get().status, 502)
        self.assertEqual(self.door.check_objects(), 0)

    def test_host_that_does_not_prove_itself(self) -> None:
        """Nor is it asked in the open then."""
        self.open(certificate="hostile/self-signed", content_transport="https-or-http")
        self.assertEqual(self.get().status, 404)
        self.assertEqual(self.host.asked(), [])


if __name__ == "__main__":
    unittest.main()
