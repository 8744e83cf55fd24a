"""kill -9 at bad moments: the ledger verifies, nothing partial is visible, the work goes on."""
import http.client
import os
import random
import threading
import time
import unittest

import harness  # noqa: F401

import catalogue
import soap
from gate import Gate, wait_until
from scene import Scene

CUT = (OSError, http.client.HTTPException, soap.Fault)


class Killed(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(71, 150, 20, big=20 << 20)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up)

    def kill_during(self, work, moment: float) -> None:
        """Runs work in a thread, kills the program after moment seconds, starts it again."""
        cut: list[BaseException] = []

        def run() -> None:
            try:
                work()
            except CUT as gone:
                cut.append(gone)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(moment)
        self.door.kill()
        thread.join(60)
        self.assertFalse(thread.is_alive())
        self.door.verify_ledger()
        self.door.check_objects()
        self.door.start()
        for name in self.door.staged():
            self.assertRegex(name, r"^[0-9a-f]{40}\.(part|mark)$", "staging is swept at start")

    def stored(self, count: int) -> None:
        """So many objects are there, whole; a large file is answered before the store has it."""
        wait_until("what was fetched is stored", lambda: len(self.door.objects()) == count)
        self.door.check_objects()

    def revisions(self) -> int:
        return int(self.door.status()["ledger"]["revisions"])

    def batches(self, size: int) -> None:
        server = self.downstream(self.door)
        server.authorize()
        server.fetch([r.key for r in self.catalogue.revisions], batch=size)

    def test_during_sync(self) -> None:
        chance = random.Random(7)
        self.up.hostile.pace = 0.005
        done = 0
        for _ in range(6):
            self.kill_during(lambda: self.batches(5), 0.05 + chance.random() * 0.4)
            self.assertGreaterEqual(self.revisions(), done, "an acknowledged entry is gone")
            done = self.revisions()
        self.assertGreater(done, 0, "no kill came late enough to prove anything")
        self.up.hostile.reset()
        server = self.downstream(self.door)
        self.assert_synced(self.catalogue, server.sync())
        self.assertEqual(self.revisions(), len(self.catalogue.revisions), "recorded once each")
        self.assertEqual(self.door.stop(), 0)
        self.door.verify_ledger()

    def test_what_was_delivered_is_recorded(self) -> None:
        """A revision that reached the downstream before the kill is still proven after it."""
        server = self.downstream(self.door)
        server.authorize()
        keys = [r.key for r in self.catalogue.revisions[:40]]
        server.update_data(keys)
        self.door.kill()
        self.door.start()
        self.assertGreaterEqual(self.revisions(), 40)
        self.up.hostile.documents[keys[0][0]] = "change"
        server.close()
        self.assert_refused(lambda: server.update_data(keys[:1]), "revision-immutable")

    def test_during_download(self) -> None:
        server = self.downstream(self.door)
        claims = server.sync().claims
        big = max(claims.values(), key=lambda c: c.size)
        for moment in (0.02, 0.1, 0.2, 0.4, 0.8):
            self.up.hostile.pace = 0.03  # 20 MiB take 0.6 s
            before = len(self.up.content_requests())
            self.kill_during(lambda: self.downstream(self.door).download(big), moment)
            self.assertGreater(len(self.up.content_requests()), before - 1)
        self.up.hostile.reset()
        for claim in claims.values():
            self.downstream(self.door).download(claim)
        self.stored(len({c.sha256 for c in claims.values()}))

    def test_lost_index_is_made_again(self) -> None:
        server = self.downstream(self.door)
        claims = list(server.sync().claims.values())
        server.download(claims[0])
        server.close()
        self.stored(1)
        self.door.kill()
        for path in self.door.state_dir.iterdir():
            if path.is_file():
                path.unlink()
        self.door.start()
        self.assertEqual(self.revisions(), len(self.catalogue.revisions))
        before = len(self.up.content_requests())
        server.download(claims[0])
        self.assertEqual(len(self.up.content_requests()), before, "it was verified before")

    def test_wrong_index_is_made_again(self) -> None:
        """Garbage, a link to a good one, a FIFO: none is used, followed or waited for."""
        self.downstream(self.door).sync()
        index = self.door.state_dir / "index"
        other = self.door.directory / "elsewhere.db"
        for harm in ("garbage", "link", "fifo"):
            with self.subTest(harm):
                self.assertEqual(self.door.stop(), 0)
                whole = index.read_bytes()
                index.unlink()
                if harm == "garbage":
                    index.write_bytes(bytes(len(whole)))
                elif harm == "link":
                    other.write_bytes(whole)
                    index.symlink_to(other)
                else:
                    os.mkfifo(index)
                self.door.start()
                self.assertEqual(self.revisions(), len(self.catalogue.revisions))
                self.assertTrue(index.is_file() and not index.is_symlink())
                if harm == "link":
                    self.assertEqual(other.read_bytes(), whole)

    def test_damaged_object_is_not_served(self) -> None:
        server = self.downstream(self.door)
        claim = max(server.sync().claims.values(), key=lambda c: c.size)
        server.download(claim)
        server.close()
        self.assertEqual(self.door.stop(), 0)
        path = next(p for p, d in self.door.objects().items() if d == claim.sha256)
        with open(path, "r+b") as data:
            data.truncate(claim.size - 1)
        self.door.start()
        server.download(claim)
        self.stored(1)

    def test_ledger_damage_is_found(self) -> None:
        self.downstream(self.door).sync()
        self.assertEqual(self.door.stop(), 0)
        self.door.verify_ledger()
        files = [p for p in (self.door.state_dir / "ledger").rglob("*")
                 if p.is_file() and p.name not in ("lock", "key", "key.pub")]
        self.assertTrue(files)
        for path in files:
            with self.subTest(str(path.relative_to(self.door.state_dir))):
                good = path.read_bytes()
                if not good:
                    continue
                at = len(good) // 2
                path.chmod(0o600)
                path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
                done = self.door.command("ledger", "verify")
                self.assertNotEqual(done.returncode, 0)
                self.assertTrue(done.stderr + done.stdout)
                path.write_bytes(good)
        self.door.verify_ledger()

    def test_two_on_one_state(self) -> None:
        other = Gate(self.up.url, self.pki, state_dir=self.door.state_dir,
                     cache_dir=self.door.cache_dir)
        self.addCleanup(other.close)
        with self.assertRaisesRegex(AssertionError, r"exit \d"):
            other.start()
        self.downstream(self.door).authorize()

    def test_term_lets_answers_finish(self) -> None:
        server = self.downstream(self.door)
        claim = max(server.sync().claims.values(), key=lambda c: c.size)
        self.up.hostile.pace = 0.02
        got: list[bytes] = []
        thread = threading.Thread(target=lambda: got.append(
            self.downstream(self.door, timeout=20).content_wire().ask("GET", claim.path).body))
        thread.start()
        wait_until("the fetch", self.up.content_requests)
        self.assertEqual(self.door.stop(), 0)
        thread.join(20)
        self.assertEqual(len(got), 1)
        self.assert_bytes(got[0], self.catalogue.by_digest[claim.sha1].read())


if __name__ == "__main__":
    unittest.main()
