"""Shuffled ranges of a large cold file: what comes is right and comes once.

$SALLYPORT_STREAM_MIB is the size of the file; 1024 for the full one.
"""
import hashlib
import os
import random
import shutil
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401

from downstream import get_range
from gate import is_sanitized
from streaming import MIB, ColdFile

LARGE = int(os.environ.get("SALLYPORT_STREAM_MIB", "192")) * MIB + 12345
BUFFERS = 16 * MIB


class Large(ColdFile):
    SIZE = LARGE
    SEED = 51

    def setUp(self) -> None:
        if shutil.disk_usage("/tmp").free < 3 * LARGE:
            print("SKIPPED: not enough disk")
            raise unittest.SkipTest("not enough disk")
        super().setUp()

    def test_shuffled_ranges(self) -> None:
        server = self.downstream(self.door, timeout=600.0)
        starts = list(range(0, LARGE, MIB))
        random.Random(7).shuffle(starts)

        def work(mine: list[int]) -> None:
            with server.content_wire() as wire:
                for first in mine:
                    last = min(first + MIB, LARGE) - 1
                    data, _ = get_range(wire, self.claim, first, last)
                    self.assert_bytes(data, self.file.read(first, last + 1), first)

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(work, [starts[i::5] for i in range(5)]))
        # that nobody waits for the trunk is test_c_ranges': here it would be a race with threads
        self.check_nothing_twice()
        self.assertLess(self.fetched(), LARGE + BUFFERS)
        self.door.check_objects()
        if not is_sanitized():
            self.assertLess(self.door.memory(), 200 * MIB)


class Many(ColdFile):
    SIZE = 64 * MIB
    SEED = 52

    def test_two_hundred_clients_one_transfer(self) -> None:
        self.up.hostile.pace = 0.01

        def client(number: int) -> None:
            answer = self.begin(timeout=300.0, source=f"127.0.0.{number % 20 + 1}")
            digest = hashlib.sha256()
            while piece := answer.read(1 << 18):
                digest.update(piece)
            self.assertEqual(digest.digest(), self.file.sha256)

        with ThreadPoolExecutor(200) as pool:
            list(pool.map(client, range(200)))
        self.assertEqual(self.asked(), [""])
        self.assertEqual(self.fetched(), self.SIZE)
        if not is_sanitized():
            self.assertLess(self.door.memory(), 200 * MIB)


if __name__ == "__main__":
    unittest.main()
