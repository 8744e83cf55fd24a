"""A file of more than 4 GiB: offsets beyond 32 bits, memory that does not grow with it."""
import shutil
import unittest

import harness  # noqa: F401

import catalogue
from gate import is_sanitized
from scene import Scene

SIZE = (4 << 30) + 12345


class Large(Scene):
    def test_beyond_four_gib(self) -> None:
        room = shutil.disk_usage("/tmp").free
        if room < 3 * SIZE:
            print(f"SKIPPED: {room >> 30} GiB free, {3 * SIZE >> 30} GiB wanted")
            raise unittest.SkipTest("not enough disk")
        made = catalogue.Catalogue(31, 30, 2, big=0, huge=SIZE)
        upstream = self.upstream(made)
        gate = self.gate(upstream)
        server = self.downstream(gate, timeout=600.0)
        claim = max(server.sync().claims.values(), key=lambda c: c.size)
        self.assertEqual(claim.size, SIZE)
        file = made.by_digest[claim.sha1]
        wire = self.wire(gate.http_url, timeout=600.0)
        head = wire.ask("HEAD", claim.path)
        self.assertEqual((head.status, head.headers["content-length"]), (200, str(SIZE)))
        for first, last in ((SIZE - 1, SIZE - 1), (2**32 - 10, 2**32 + 10), (2**31 - 5, 2**31 + 5),
                            (SIZE - (1 << 20), SIZE - 1), (0, 99)):
            answer = wire.ask("GET", claim.path, {"Range": f"bytes={first}-{last}"})
            self.assertEqual(answer.status, 206)
            self.assertEqual(answer.headers["content-range"], f"bytes {first}-{last}/{SIZE}")
            self.assert_bytes(answer.body, file.read(first, last + 1))
        if not is_sanitized():
            self.assertLess(gate.memory(), 200 << 20)
        self.assertEqual(len([r for r in upstream.content_requests()]), 1)


if __name__ == "__main__":
    unittest.main()
