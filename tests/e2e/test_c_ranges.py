"""Who waits far ahead of a fill gets a transfer of his own; what comes makes one file."""
import http.client
import random
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401

from gate import is_sanitized, wait_until
from streaming import MIB, ColdFile

SIZE = ColdFile.SIZE * 2
STRIDE = 4 * MIB
BUFFERS = 16 * MIB  # of the kernel and both TLS ends: what a cut answer may lose


class FarAhead(ColdFile):
    SIZE = SIZE

    def stand_at(self, at: int) -> None:
        """A fill begins, and stands before this byte."""
        self.free = self.stall(at)
        self.trunk = self.begin(0, at - 1)
        self.assert_bytes(self.trunk.read(), self.file.read(0, at))

    def test_far_range_does_not_wait(self) -> None:
        for tls in (False, True):
            with self.subTest(tls=tls):
                self.open()
                before = len(self.asked())
                self.stand_at(MIB)
                url = self.door.url if tls else ""
                self.get(40 * MIB, 41 * MIB - 1, url=url)
                self.get(9 * MIB + 5, 9 * MIB + 5, url=url)
                self.assertEqual(self.asked()[before:], [
                    "", f"bytes={40 * MIB}-{41 * MIB - 1}", f"bytes={9 * MIB + 5}-{10 * MIB + 4}"])
                self.free.set()
                self.get(0, SIZE - 1, url=url)
                self.check_nothing_twice()
                self.door.check_objects()
                self.up = self.upstream(self.catalogue)

    def test_near_range_waits(self) -> None:
        self.stand_at(MIB)
        with self.assertRaises(TimeoutError):
            self.begin(MIB + STRIDE - 1, MIB + STRIDE - 1, timeout=0.5)
        self.assertEqual(self.asked(), [""])
        self.get(MIB + STRIDE, MIB + STRIDE)
        self.assertEqual(len(self.asked()), 2)

    def test_long_far_range_flows(self) -> None:
        self.stand_at(MIB)
        self.get(20 * MIB, 31 * MIB - 1)
        self.assertEqual(self.asked()[1:], [
            f"bytes={first}-{last}" for first, last in (
                (20 * MIB, 24 * MIB - 1), (24 * MIB, 28 * MIB - 1), (28 * MIB, 31 * MIB - 1))])

    def test_tail_waits_however_it_is_asked_for(self) -> None:
        self.stand_at(MIB)
        self.get(SIZE - 2 * MIB, SIZE - MIB - 1)
        for first in (SIZE - MIB, SIZE - 1):
            with self.assertRaises(TimeoutError):
                self.begin(first, SIZE - 1, timeout=0.3)
        across = self.begin(SIZE - 2 * MIB, SIZE - 1, timeout=1.0)
        self.assert_bytes(across.read(MIB), self.file.read(SIZE - 2 * MIB, SIZE - MIB))
        with self.assertRaises(TimeoutError):
            across.read(1)
        self.assertEqual(len(self.asked()), 2, "nothing is fetched for what has to wait")

    def test_side_transfers_are_bounded(self) -> None:
        self.stand_at(MIB)
        self.up.hostile.stall_sides = self.event()
        with ThreadPoolExecutor(8) as pool:
            places = [(8 + 4 * i) * MIB for i in range(8)]
            running = [pool.submit(self.get, p, p + MIB - 1) for p in places]
            wait_until("four of them", lambda: len(self.asked()) == 5)
            time.sleep(0.3)
            self.assertEqual(len(self.asked()), 5)
            self.up.hostile.stall_sides.set()
            for one in running:
                one.result(30)
        self.check_nothing_twice()

    def test_shuffled_ranges_of_a_cold_file(self) -> None:
        for tls in (False, True):
            with self.subTest(tls=tls):
                self.up.hostile.pace = 0.01
                self.open()
                server = self.downstream(self.door, content=self.door.url if tls else "")
                data = server.download_ranges(self.claim, connections=5, seed=3)
                self.assert_bytes(data, self.file.read())
                self.check_nothing_twice()
                self.assertLess(self.fetched(), SIZE + BUFFERS)
                self.up = self.upstream(self.catalogue)

    def test_two_hundred_clients_in_any_order(self) -> None:
        self.up.hostile.pace = 0.01

        def client(number: int) -> None:
            first = random.Random(number).randrange(SIZE - MIB)
            first = SIZE - MIB if number % 10 == 0 else first
            self.get(first, min(first + MIB, SIZE) - 1, timeout=120.0,
                     source=f"127.0.0.{number % 20 + 1}")

        with ThreadPoolExecutor(200) as pool:
            list(pool.map(client, range(200)))
        self.check_nothing_twice()
        self.assertLess(self.fetched(), SIZE + BUFFERS)
        if not is_sanitized():
            self.assertLess(self.door.memory(), 200 * MIB)

    def test_asker_that_leaves(self) -> None:
        self.stand_at(MIB)
        self.up.hostile.stall_sides = self.event()
        with self.assertRaises(TimeoutError):
            self.begin(30 * MIB, 31 * MIB - 1, timeout=0.3)
        self.trunk.close()
        self.up.hostile.stall_sides.set()
        self.free.set()
        self.finished()
        self.check_nothing_twice()

    # ---- what goes wrong --------------------------------------------------------------------

    def test_side_answers_that_do_not_fit(self) -> None:
        for mode, named in (("200", "200 and the whole file"), ("length", "another part"),
                            ("etag", "changed this file"), ("date", "changed this file"),
                            ("html", "web page"), ("404", "does not have this file")):
            with self.subTest(mode):
                self.open()
                before = len(self.asked())
                self.stand_at(MIB)
                self.up.hostile.sides = mode
                far = self.in_background(self.get, 40 * MIB, 41 * MIB - 1)
                wait_until("the reason", lambda: named in self.door.log_text())
                with self.assertRaises(TimeoutError):
                    self.begin(20 * MIB, 20 * MIB, timeout=0.3)
                self.assertEqual(len(self.asked()) - before, 2, "tried once")
                self.up.hostile.sides = ""
                self.free.set()
                far.join(30)
                self.get(0, SIZE - 1)
                self.assertEqual(self.asked()[before:], ["", f"bytes={40 * MIB}-{41 * MIB - 1}"],
                                 "one full GET is the fallback")
                self.up = self.upstream(self.catalogue)

    def test_upstream_that_forgets_ranges(self) -> None:
        """The trunk was cut for a side transfer, and then there are no ranges any more."""
        self.stand_at(MIB)
        self.get(9 * MIB, 10 * MIB - 1)
        self.up.hostile.ignore_ranges = True
        self.free.set()
        self.get(0, SIZE - 1)
        self.assertEqual(len(self.asked()), 3)
        self.door.check_objects()

    def test_side_transfer_that_breaks(self) -> None:
        self.stand_at(MIB)
        self.up.hostile.sides = "cut"
        with self.assertRaises(TimeoutError):
            self.begin(40 * MIB, 41 * MIB - 1, timeout=0.5).read()
        self.up.hostile.sides = ""
        self.free.set()
        self.get(40 * MIB, 41 * MIB - 1)
        self.get(0, SIZE - 1)
        self.door.check_objects()

    def test_wrong_file_is_completed_by_nobody(self) -> None:
        shuffled = random.Random(5).shuffle
        for flip, tls, order in ((0, False, shuffled), (0, True, list.reverse),
                                 (30 * MIB + 7, True, shuffled), (SIZE - 1, False, list.sort),
                                 (SIZE - 1, True, shuffled), (SIZE - 1, False, list.reverse)):
            with self.subTest(flip=flip, tls=tls, order=order):
                self.up.hostile.flips = [flip]
                self.nobody_completes(order, self.door.url if tls else self.door.http_url)
        self.up.hostile.reset()
        wait_until("a good file", self.comes_whole)

    def comes_whole(self) -> bool:
        """False while the last wrong fill still runs."""
        try:
            answer = self.begin()
            data = answer.read()
        except (http.client.HTTPException, OSError):
            return False
        if answer.status != 200:
            return False
        self.assert_bytes(data, self.file.read())
        return True

    def nobody_completes(self, order, url: str) -> None:
        starts = list(range(0, SIZE, MIB))
        order(starts)

        def client(mine: list[int]) -> set[int]:
            got = set()
            for first in mine:
                last = min(first + MIB, SIZE) - 1
                try:
                    answer = self.begin(first, last, url=url)
                    if answer.status == 206 and len(answer.read()) == last + 1 - first:
                        got.add(first)
                except (http.client.HTTPException, OSError):
                    pass
            return got

        with ThreadPoolExecutor(5) as pool:
            got = set().union(*pool.map(client, [starts[i::5] for i in range(5)]))
        self.assertNotIn((SIZE - 1) // MIB * MIB, got)
        self.assertNotIn(self.file.sha256, self.door.objects().values())


if __name__ == "__main__":
    unittest.main()
