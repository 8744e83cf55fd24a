"""Full disks: content answers 503 and comes back, metadata flows, nothing is corrupt."""
import os
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
from gate import wait_until
from scene import Scene


def small_disk(case: unittest.TestCase, size: str) -> Path:
    """A tmpfs of its own, or a skip that anybody sees."""
    where = Path(tempfile.mkdtemp(prefix="sallyport-disk-"))
    case.addCleanup(where.rmdir)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", where]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        print("SKIPPED: a small tmpfs cannot be mounted here (root is needed)")
        raise unittest.SkipTest("no mount")
    case.addCleanup(subprocess.run, ["umount", "-l", where], check=True)
    return where


class FullDisk(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(81, 60, 12, big=20 << 20)

    def test_cache_disk(self) -> None:
        disk = small_disk(self, "8m")
        gate = self.gate(self.upstream(self.catalogue), cache_dir=disk / "cache")
        server = self.downstream(gate)
        claims = sorted(server.sync().claims.values(), key=lambda c: c.size)
        self.assertGreater(claims[-1].size, 8 << 20)
        wire = self.wire(gate.http_url)
        answer = wire.ask("GET", claims[-1].path)
        self.assertEqual(answer.status, 503, answer.body[:200])
        self.assertGreater(int(answer.headers["retry-after"]), 0)
        self.assertTrue(answer.headers["content-type"].startswith("text/plain"))
        for claim in claims[:6]:
            server.download(claim)
        self.assertEqual(self.downstream(gate).sync().documents, server.synced.documents)
        self.assertGreater(gate.metric("sallyport_disk_full_total"), 0)
        gate.check_objects()
        self.assertEqual(gate.staged(), [])
        self.assertEqual(gate.health(), 200)

    def test_cache_disk_filled_by_another(self) -> None:
        disk = small_disk(self, "64m")
        gate = self.gate(self.upstream(self.catalogue), cache_dir=disk / "cache")
        server = self.downstream(gate)
        claim = max(server.sync().claims.values(), key=lambda c: c.size)
        ballast = disk / "ballast"
        with ballast.open("wb") as data:
            data.write(bytes(60 << 20))
        self.assertEqual(self.wire(gate.http_url).ask("GET", claim.path).status, 503)
        ballast.unlink()
        server.download(claim)  # as soon as there is room
        gate.check_objects()

    def test_parts_of_files_make_room(self) -> None:
        """What an earlier fill has left, to be gone on with, goes when the disk is full."""
        disk = small_disk(self, "64m")
        upstream = self.upstream(self.catalogue)
        gate = self.gate(upstream, cache_dir=disk / "cache")
        server = self.downstream(gate)
        claims = sorted(server.sync().claims.values(), key=lambda c: c.size)
        small, big = next(c for c in claims if c.size == 300_000), claims[-1]
        free = threading.Event()
        self.addCleanup(free.set)
        upstream.hostile.stall = (15 << 20, free)
        leaver = self.wire(gate.http_url, timeout=1)
        with self.assertRaises(TimeoutError):
            leaver.ask("GET", big.path)
        mark = gate.cache_dir / "staging" / f"{big.sha1.hex()}.mark"
        wait_until("the note", mark.exists)
        gate.kill()
        gate.start()
        self.assertEqual(sorted(gate.staged()), [f"{big.sha1.hex()}.mark", f"{big.sha1.hex()}.part"])
        free.set()
        upstream.hostile.reset()
        self.fill(disk / "ballast", disk)
        server.download(small)
        self.assertEqual(gate.staged(), [])
        gate.check_objects()

    def fill(self, ballast: Path, disk: Path) -> None:
        """Leaves less than any file here needs."""
        with ballast.open("wb", buffering=0) as data:
            left = os.statvfs(disk)
            data.write(bytes(left.f_bavail * left.f_bsize - (100 << 10)))

    def test_state_disk_fails_closed(self) -> None:
        """Without a ledger nothing new is passed; what follows is whole."""
        disk = small_disk(self, "6m")
        gate = self.gate(self.upstream(self.catalogue), state_dir=disk / "state")
        server = self.downstream(gate)
        server.authorize()
        keys = [r.key for r in self.catalogue.revisions]
        server.update_data(keys[:10])
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as data:
            try:
                while data.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
        delivered = dict(server.synced.documents)
        self.assert_fault(lambda: server.fetch(keys[10:60], batch=5), "ledger")
        recorded = int(gate.status()["ledger"]["revisions"])
        self.assertLessEqual(len(delivered), len(server.synced.documents))
        self.assertGreaterEqual(recorded, len(server.synced.documents), "passed but not recorded")
        ballast.unlink()
        gate.restart()
        server.close()
        server.fetch(keys)
        self.assertEqual(gate.stop(), 0)
        gate.verify_ledger()


if __name__ == "__main__":
    unittest.main()
