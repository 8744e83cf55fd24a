"""Disks that are full or turn read-only: content answers 503 and comes back, metadata flows,
nothing is corrupt."""
import http.client
import threading
import unittest

import harness  # noqa: F401

import catalogue
import disks
from gate import wait_until
from scene import Scene


class FullDisk(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(81, 60, 12, big=20 << 20)

    def test_cache_disk(self) -> None:
        disk = disks.Disk(self, "8m").path
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
        disk = disks.Disk(self, "64m")
        gate = self.gate(self.upstream(self.catalogue), cache_dir=disk.path / "cache")
        server = self.downstream(gate)
        claim = max(server.sync().claims.values(), key=lambda c: c.size)
        ballast = disk.fill("ballast", 4 << 20)
        self.assertEqual(self.wire(gate.http_url).ask("GET", claim.path).status, 503)
        ballast.unlink()
        server.download(claim)  # as soon as there is room
        gate.check_objects()

    def test_parts_of_files_make_room(self) -> None:
        """What an earlier fill has left, to be gone on with, goes when the disk is full."""
        disk = disks.Disk(self, "64m")
        upstream = self.upstream(self.catalogue)
        gate = self.gate(upstream, cache_dir=disk.path / "cache")
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
        disk.fill("ballast", 100 << 10)  # less than any file here needs
        server.download(small)
        self.assertEqual(gate.staged(), [])
        gate.check_objects()

    def test_state_disk_fails_closed(self) -> None:
        """Without a ledger nothing new is passed; what follows is whole."""
        disk = disks.Disk(self, "6m").path
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


class ReadOnly(Scene):
    """The cache's disk turns read-only under the running program, and back."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(82, 60, 12, big=3 << 20)

    def setUp(self) -> None:
        self.disk = disks.Disk(self, "64m")
        cache = self.disk.path / "cache"
        self.disk.lock_elsewhere(cache / "lock")
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up, cache_dir=cache, scrub_rate=1)
        self.server = self.downstream(self.door)
        self.claims = sorted(self.server.sync().claims.values(), key=lambda c: c.size)

    def turn(self, read_only: bool) -> None:
        wait_until("nobody writes there", lambda: self.door.staged() == [])
        self.disk.read_only(read_only)

    def ask(self, claim):
        wire = self.wire(self.door.http_url)
        try:
            return wire.ask("GET", claim.path)
        finally:
            wire.close()

    def assert_put_off(self, claim) -> None:
        answer = self.ask(claim)
        self.assertEqual(answer.status, 503, answer.body[:200])
        self.assertGreater(int(answer.headers["retry-after"]), 0)

    def test_what_is_here_is_served_and_the_rest_put_off(self) -> None:
        here, there = self.claims[0::2], self.claims[1::2]
        for claim in here:
            self.server.download(claim)
        self.turn(read_only=True)
        for claim in here:
            self.server.download(claim)
        for claim in there:
            self.assert_put_off(claim)
        self.assertEqual(self.downstream(self.door).sync().documents,
                         self.server.synced.documents)
        self.assertEqual(self.door.health(), 200)
        self.turn(read_only=False)
        for claim in there:
            self.server.download(claim)
        self.assertEqual(self.door.check_objects(), len({c.sha256 for c in self.claims}))
        self.door.verify_ledger()

    def test_damage_that_cannot_be_put_away(self) -> None:
        """Never sent, though it cannot be moved; fetched again as soon as that is possible."""
        claim = self.claims[-1]
        self.server.download(claim)
        self.server.close()
        self.assertEqual(self.door.stop(), 0)
        path = next(p for p, d in self.door.objects().items() if d == claim.sha256)
        with open(path, "r+b") as file:
            first = file.read(1)[0]
            file.seek(0)
            file.write(bytes([first ^ 1]))
        self.door.start()
        self.turn(read_only=True)
        for _ in range(3):
            try:
                self.assert_put_off(claim)
            except (OSError, http.client.HTTPException):
                pass  # cut at the first damaged byte
        self.assert_put_off(claim)
        self.turn(read_only=False)
        self.server.download(claim)
        self.assertEqual(self.door.metric("sallyport_damaged_files_total"), 1)
        self.door.check_objects()

    def test_started_on_it(self) -> None:
        """It comes up and does what it can."""
        self.server.download(self.claims[0])
        self.server.close()
        self.assertEqual(self.door.stop(), 0)
        self.turn(read_only=True)
        self.door.start()
        self.server.download(self.claims[0])
        self.assert_put_off(self.claims[1])
        self.turn(read_only=False)
        self.server.download(self.claims[1])


if __name__ == "__main__":
    disks.enter()
    unittest.main()
