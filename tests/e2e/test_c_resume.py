"""A fill goes on where it was: after kill -9, after a stop, after the upstream was away."""
import contextlib
import http.client
import os
import random
import re
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401

from gate import wait_until
from streaming import MIB, ColdFile
from wsus_upstream import Upstream

SIZE = ColdFile.SIZE * 2
HALF = 22 * MIB
NOTED = MIB  # at least so often: a block


class Resumed(ColdFile):
    SIZE = SIZE

    def stage(self, ending: str):
        return self.door.cache_dir / "staging" / f"{self.claim.sha1.hex()}.{ending}"

    def noted(self) -> int:
        try:
            return int(self.stage("mark").read_text().split("\n")[1].split(" ")[1])
        except FileNotFoundError:
            return 0

    def mapped(self) -> int:
        """Blocks that are noted far ahead."""
        try:
            return self.stage("map").read_text().count("\n")
        except FileNotFoundError:
            return 0

    def half(self) -> None:
        """The upstream has sent exactly HALF, and what may be noted of it is."""
        self.free = self.stall(HALF)
        answer = self.begin(0, HALF - 1)
        self.assert_bytes(answer.read(), self.file.read(0, HALF))
        wait_until("the note", lambda: self.noted() > HALF - NOTED)
        self.assertEqual(self.fetched(), HALF)

    def go_on(self) -> None:
        """The upstream is good again, and what it did not send before is all that it sends."""
        self.up.hostile.stall = None
        self.free.set()
        before, sent = len(self.asked()), self.fetched()
        self.get(0, SIZE - 1)
        ranged = re.fullmatch(r"bytes=(\d+)-", self.asked()[before])
        self.assertIsNotNone(ranged, self.asked())
        self.assertGreater(int(ranged[1]), HALF - NOTED)
        self.assertEqual(len(self.asked()), before + 1)
        self.assertEqual(self.fetched() - sent, SIZE - int(ranged[1]))
        self.finished()
        self.door.check_objects()
        self.assertEqual(self.door.staged(), [])

    def test_killed_half_way(self) -> None:
        self.half()
        self.door.kill()
        self.door.start()
        self.go_on()

    def far_and_wide(self) -> int:
        """The trunk stands, and far ahead of it eight MiB came too; the bytes of all that."""
        at = 3 * MIB
        self.free = self.stall(at)
        self.begin(0, at - 1).read()
        for first in (30, 12, 20, 40):
            self.get(first * MIB, (first + 2) * MIB - 1)
        wait_until("the note", lambda: self.noted() > at - NOTED)
        wait_until("the map", lambda: self.mapped() == 8)
        return at + 8 * MIB

    def test_killed_with_ranges_far_ahead(self) -> None:
        """They come once as well; what was tampered with meanwhile is fetched again."""
        for damaged in (None, 31 * MIB + 5):
            with self.subTest(damaged=damaged):
                had = self.far_and_wide()
                self.door.kill()
                if damaged:
                    self.damage(damaged)
                self.up.hostile.stall = None
                self.free.set()
                self.door.start()
                sent = self.fetched()
                self.get(30 * MIB, 31 * MIB - 1)
                self.get(0, SIZE - 1)
                twice = self.fetched() - sent + had - SIZE
                self.assertLess(twice, NOTED + (MIB if damaged else 0))
                self.assertGreaterEqual(twice, MIB if damaged else 0)
                self.finished()
                self.door.check_objects()
                self.assertEqual(self.door.staged(), [])
                self.up = self.upstream(self.catalogue)
                self.open()

    def test_killed_again_and_again(self) -> None:
        """No byte comes twice but for those since the last note."""
        last = 0
        for at in (10 * MIB, 19 * MIB, 30 * MIB, 41 * MIB):
            free = self.stall(at)
            self.assert_bytes(self.begin(0, at - 1).read(), self.file.read(0, at), at)
            wait_until("the note", lambda: self.noted() > at - NOTED)
            self.door.kill()
            free.set()
            self.up.hostile.stall = None
            self.door.start()
            asked = self.asked()[-1]
            if last:
                self.assertGreater(int(re.fullmatch(r"bytes=(\d+)-", asked)[1]), last - NOTED)
            last = at
        self.get(0, SIZE - 1)
        self.assertEqual(len(self.asked()), 5)
        self.door.check_objects()

    def test_killed_while_it_is_read_everywhere(self) -> None:
        """kill -9 at any moment, side transfers and notes under way: what comes in the end is right."""
        chance = random.Random(11)
        self.up.hostile.pace = 0.01
        for moment in (0.05, 0.2, 0.4, 0.6):
            starts = [chance.randrange(SIZE - 2 * MIB) for _ in range(20)]
            with ThreadPoolExecutor(5) as pool:
                running = [pool.submit(self.read_some, first) for first in starts]
                time.sleep(moment)
                self.door.kill()
                for one in running:
                    one.result(30)
            self.door.start()
            self.door.check_objects()
        self.up.hostile.pace = 0.0
        self.get(0, SIZE - 1)
        self.assertEqual(self.door.metric("sallyport_content_verify_total", result="refused"), 0)
        self.door.check_objects()
        self.door.verify_ledger()

    def read_some(self, first: int) -> None:
        """Right bytes, or none of them."""
        with contextlib.suppress(http.client.HTTPException, OSError):
            answer = self.begin(first, first + MIB - 1)
            data = answer.read()
            self.assert_bytes(data, self.file.read(first, first + MIB), first)

    def test_stopped_half_way(self) -> None:
        self.half()
        waits = self.begin(0, HALF - 1)
        waits.read()
        self.door.signal(15)
        wait_until("its end", lambda: self.door.process.poll() is not None)
        self.door.stop()
        self.door.start()
        self.go_on()

    def test_upstream_dies_half_way(self) -> None:
        self.half()
        whole = self.begin(timeout=60.0)
        port = self.up.tls.port
        self.free.set()
        sent = self.up.content_bytes()
        self.up.close()
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            whole.read()
        self.finished("failed")
        self.assertEqual(self.begin().status, 502)
        again = Upstream(self.catalogue, *self.pki.pair("upstream"), port=port)
        self.addCleanup(again.close)
        self.get(0, SIZE - 1)
        self.assertLess(again.content_bytes() + HALF, SIZE + NOTED)
        self.assertGreaterEqual(sent, HALF)
        self.door.check_objects()

    # ---- what is left may be wrong ----------------------------------------------------------

    def damage(self, at: int) -> None:
        with self.stage("part").open("r+b") as part:
            part.seek(at)
            byte = part.read(1)
            part.seek(at)
            part.write(bytes([byte[0] ^ 1]))

    def fetched_afresh(self) -> None:
        self.up.hostile.reset()
        self.free.set()
        before = len(self.asked())
        self.door.start()
        self.get(0, SIZE - 1)
        self.assertEqual(self.asked()[before:], [""])
        self.assertEqual(self.door.metric("sallyport_content_verify_total", result="refused"), 0)
        self.door.check_objects()

    def test_damaged_on_disk(self) -> None:
        self.half()
        self.door.kill()
        self.damage(11 * MIB)
        self.fetched_afresh()

    def test_record_that_lies(self) -> None:
        self.half()
        self.door.kill()
        mark = self.stage("mark")
        mark.write_text(re.sub(r" (\d+) (\w{64})", f" {NOTED} \\2", mark.read_text()))
        self.fetched_afresh()

    def test_old_parts_are_swept(self) -> None:
        self.half()
        self.door.kill()
        old = time.time() - 4 * 86400
        os.utime(self.stage("part"), (old, old))
        self.door.start()
        self.assertEqual(self.door.staged(), [])
        self.door.kill()
        self.fetched_afresh()

    def test_other_half_of_another_file(self) -> None:
        """The first half was wrong: nobody completes it, nobody is accused, the next ask is good."""
        self.up.hostile.flips = [5]
        self.free = self.stall(HALF)
        self.begin(0, HALF - 1).read()
        wait_until("the note", lambda: self.noted() > HALF - NOTED)
        self.door.kill()
        self.up.hostile.reset()
        self.free.set()
        self.door.start()
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            answer = self.begin()
            self.assertLess(len(answer.read()), SIZE)
            self.assertEqual(answer.status, 503)  # too late to see any of it
            raise ConnectionError
        wait_until("the reason", lambda: "does not fit together" in self.door.log_text())
        self.assertEqual(self.door.metric("sallyport_content_verify_total", result="refused"), 0)
        self.get(0, SIZE - 1)
        self.door.check_objects()


if __name__ == "__main__":
    unittest.main()
