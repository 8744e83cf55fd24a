"""A download of the offline catalogue that breaks off is gone on with, never fetched twice; what
cannot be gone on with is fetched from its beginning."""
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
import offline
import signing
from gate import hang_up, wait_until
from httpd import Reply, Request, Server
from scene import Scene
from wsus_upstream import server_context

PATH = "/catalog/wsusscn2.cab"


class Source:
    """One body over TLS, with ranges as RFC 9110 has them, that breaks off at will."""

    def __init__(self, pair: tuple[str, str], body: bytes) -> None:
        self.body, self.etag = body, '"first"'
        self.cut_at: int | None = None  # of the whole body
        self.lie: dict[str, str] = {}   # headers that answers with a range have instead
        self.server = Server(self.answer, server_context(*pair))
        self.url = f"https://localhost:{self.server.port}/wsusscan/wsusscn2.cab"

    def answer(self, request: Request) -> Reply:
        first = self.first(request)
        cut = None if self.cut_at is None else max(0, self.cut_at - first)
        headers = {"ETag": self.etag, "Content-Type": "application/octet-stream"}
        if not first:
            return Reply(200, list(headers.items()), self.body, cut_at=cut)
        size = len(self.body)
        headers |= {"Content-Range": f"bytes {first}-{size - 1}/{size}"} | self.lie
        return Reply(206, list(headers.items()), self.body[first:], cut_at=cut)

    def first(self, request: Request) -> int:
        """Where the answer begins: at 0 unless the range is of this very body."""
        wanted = request.header("Range") or ""
        same = request.header("If-Range") == self.etag and not self.etag.startswith("W/")
        return int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and same else 0

    def ranges(self) -> list[str]:
        return [r.header("Range") or "" for r in self.server.requests()]


@unittest.skipUnless(signing.can_sign(), "nothing signs here")
class Resume(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.files = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        signer = signing.Signer(cls.files)
        for name, updates in (("one", 300), ("two", 400)):
            offline.write(cls.files / f"{name}.cab", updates)
            signer.sign(f"{name}.cab", f"{name}_signed.cab")
        cls.one, cls.two = ((cls.files / f"{n}_signed.cab").read_bytes() for n in ("one", "two"))

    def setUp(self) -> None:
        """A download that broke off after two thirds."""
        self.source = Source(self.pki.pair("upstream"), self.one)
        self.addCleanup(self.source.server.close)
        self.cut = len(self.one) * 2 // 3
        self.source.cut_at = self.cut

    def broken_off(self):
        gate = self.gate(self.upstream(catalogue.Catalogue(7, 3, 0)), catalog=self.source.url,
                         code_signing_pins=self.files / "pins.txt",
                         code_signing_bundle=self.files / "bundle.pem")
        self.wait_for(gate, "failed")
        return gate

    def wait_for(self, gate, result: str, count: int = 1) -> None:
        wait_until(f"{result} {count} times", lambda: count <= gate.metric(
            "sallyport_catalog_looks_total", result=result))

    def go_on(self, gate, restart: bool = False) -> None:
        self.source.cut_at = None
        if restart:
            gate.restart()
        else:
            hang_up(gate)
        self.wait_for(gate, "new")

    def assert_in_force(self, gate, body: bytes) -> None:
        wire = self.wire(gate.url)
        self.assert_bytes(wire.ask("GET", PATH).body, body)
        wire.close()
        self.assertEqual(list((gate.cache_dir / "catalog" / "staging").iterdir()), [])

    def test_gone_on_with(self) -> None:
        gate = self.broken_off()
        self.go_on(gate)
        self.assert_in_force(gate, self.one)
        self.assertEqual(self.source.ranges()[-1], f"bytes={self.cut}-")
        self.assertEqual(self.source.server.requests()[-1].header("If-Range"), '"first"')
        self.assertEqual(gate.metric("sallyport_catalog_bytes_total"), len(self.one))
        self.assertEqual([x["resumed"] for x in gate.log() if x.get("result") == "new"],
                         [self.cut])

    def test_broken_off_again(self) -> None:
        gate = self.broken_off()
        self.source.cut_at = self.cut + 1000
        hang_up(gate)
        self.wait_for(gate, "failed", 2)
        self.go_on(gate)
        self.assert_in_force(gate, self.one)
        self.assertEqual(self.source.ranges()[-1], f"bytes={self.cut + 1000}-")
        self.assertEqual(gate.metric("sallyport_catalog_bytes_total"), len(self.one))

    def test_after_a_restart(self) -> None:
        gate = self.broken_off()
        self.go_on(gate, restart=True)
        self.assert_in_force(gate, self.one)
        self.assertEqual(self.source.ranges()[-1], f"bytes={self.cut}-")
        self.assertEqual(gate.metric("sallyport_catalog_bytes_total"), len(self.one) - self.cut)

    def test_what_is_on_disk_has_changed(self) -> None:
        gate = self.broken_off()
        self.assertEqual(gate.stop(), 0)
        part = next((gate.cache_dir / "catalog" / "staging").glob("*.part"))
        data = bytearray(part.read_bytes())
        self.assertEqual(len(data), self.cut)
        data[self.cut // 2] ^= 1
        part.write_bytes(data)
        self.source.cut_at = None
        gate.start()
        self.wait_for(gate, "new")
        self.assert_in_force(gate, self.one)
        self.assertEqual(self.source.ranges()[-1], "")

    def test_the_source_has_another_one(self) -> None:
        gate = self.broken_off()
        self.source.body, self.source.etag = self.two, '"second"'
        self.go_on(gate)
        self.assert_in_force(gate, self.two)
        self.assertEqual(self.source.ranges()[-1], f"bytes={self.cut}-")

    def test_a_weak_validator(self) -> None:
        self.source.etag = 'W/"first"'
        gate = self.broken_off()
        self.go_on(gate)
        self.assert_in_force(gate, self.one)
        self.assertEqual(set(self.source.ranges()), {""})

    def test_another_part_than_asked_for(self) -> None:
        gate = self.broken_off()
        self.source.lie = {"Content-Range": f"bytes {self.cut}-{len(self.one)}/{len(self.one) + 1}"}
        self.source.cut_at = None
        hang_up(gate)
        self.wait_for(gate, "failed", 2)
        self.assertIn("not with that: all of it is fetched again", gate.log_text())
        self.go_on(gate)
        self.assert_in_force(gate, self.one)
        self.assertEqual(self.source.ranges()[-1], "")

    def test_parts_that_do_not_fit(self) -> None:
        """The source gives two bodies one ETag: the signature tells, and all is fetched again."""
        gate = self.broken_off()
        end = self.one[self.cut:]
        self.source.body = self.one[:self.cut] + bytes([end[0] ^ 1]) + end[1:]
        self.source.cut_at = None
        hang_up(gate)
        self.wait_for(gate, "refused")
        self.source.body = self.one
        self.go_on(gate)
        self.assert_in_force(gate, self.one)
        self.assertEqual(self.source.ranges()[-1], "")


if __name__ == "__main__":
    unittest.main()
