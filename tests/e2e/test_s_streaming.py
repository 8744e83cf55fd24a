"""Shuffled ranges of a cold file of 1 GiB: what comes is right, and comes while it is fetched."""
import random
import shutil
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401

import catalogue
from downstream import get_range
from gate import is_sanitized
from scene import Scene

MIB = 1 << 20
SIZE = (1 << 30) + 12345


class Large(Scene):
    def test_shuffled_ranges_of_a_gibibyte(self) -> None:
        if shutil.disk_usage("/tmp").free < 3 * SIZE:
            print("SKIPPED: not enough disk")
            raise unittest.SkipTest("not enough disk")
        made = catalogue.Catalogue(51, 30, 8, big=SIZE)
        upstream = self.upstream(made)
        gate = self.gate(upstream)
        server = self.downstream(gate, timeout=600.0)
        claim = max(server.sync().claims.values(), key=lambda c: c.size)
        self.assertEqual((claim.size, claim.path[-4:]), (SIZE, ".cab"))
        file = made.by_digest[claim.sha1]
        starts = list(range(0, SIZE, MIB))
        random.Random(7).shuffle(starts)
        fetched_at_first: list[int] = []
        lock = threading.Lock()

        def work(mine: list[int]) -> None:
            with server.content_wire() as wire:
                for first in mine:
                    last = min(first + MIB, SIZE) - 1
                    data, _ = get_range(wire, claim, first, last)
                    with lock:
                        fetched_at_first.append(upstream.content_bytes())
                    self.assert_bytes(data, file.read(first, last + 1), first)

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(work, [starts[i::5] for i in range(5)]))
        self.assertLess(fetched_at_first[0], SIZE, "the first range waited for the last byte")
        self.assertEqual(len(upstream.content_requests()), 1)
        if not is_sanitized():
            self.assertLess(gate.memory(), 200 * MIB)


if __name__ == "__main__":
    unittest.main()
