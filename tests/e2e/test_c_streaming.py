"""Large files flow while they come, but for their tail: nobody completes what is not proven."""
import http.client
import random
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401

from gate import is_sanitized, wait_until
from streaming import MIB, ColdFile

SIZE = ColdFile.SIZE
HOLD = MIB


class Streaming(ColdFile):
    def hold_last_byte(self) -> threading.Event:
        event = self.up.hostile.last_byte = threading.Event()
        self.addCleanup(event.set)
        return event

    # ---- flow ---------------------------------------------------------------------------

    def test_first_bytes_long_before_the_last(self) -> None:
        for tls in (False, True):
            with self.subTest(tls=tls):
                self.up.hostile.pace = 0.05
                self.open()
                answer = self.begin(url=self.door.url if tls else "")
                self.assert_bytes(answer.read(MIB), self.file.read(0, MIB))
                self.assertLess(self.fetched(), SIZE // 2)
                self.up.hostile.pace = 0.0
                rest = answer.read()
                self.assert_bytes(rest, self.file.read(MIB))
                self.assertEqual(answer.headers["ETag"], f'"{self.file.sha256.hex()}"')
                self.assertEqual(len(self.up.content_requests()), 1)
                self.up = self.upstream(self.catalogue)

    def test_tail_waits_for_the_verdict(self) -> None:
        last_byte = self.hold_last_byte()
        whole = self.begin(timeout=1.0)
        self.assert_bytes(whole.read(SIZE - HOLD), self.file.read(0, SIZE - HOLD))
        with self.assertRaises(TimeoutError):
            whole.read(1)
        before = self.begin(SIZE - HOLD - 10, SIZE - HOLD - 1)
        self.assert_bytes(before.read(), self.file.read(SIZE - HOLD - 10, SIZE - HOLD))
        for first in (SIZE - HOLD, SIZE - 1):
            with self.assertRaises(TimeoutError):  # not even a head
                self.begin(first, timeout=0.5)
        across = self.begin(SIZE - HOLD - 5, SIZE - HOLD + 5)
        late = self.begin(SIZE - 2 * MIB)
        last_byte.set()
        self.assert_bytes(across.read(), self.file.read(SIZE - HOLD - 5, SIZE - HOLD + 6))
        self.assert_bytes(late.read(), self.file.read(SIZE - 2 * MIB))
        self.assert_bytes(self.begin(SIZE - 1).read(), self.file.read(SIZE - 1))
        self.assertEqual(len(self.up.content_requests()), 1)
        self.assertEqual(self.fetched(), SIZE)

    def test_head_needs_no_verdict(self) -> None:
        last_byte = self.hold_last_byte()
        wire = self.wire(self.door.http_url)
        early = wire.ask("HEAD", self.claim.path)
        last_byte.set()
        self.finished()
        late = wire.ask("HEAD", self.claim.path)
        self.assertEqual((early.status, late.status), (200, 200))
        for name in ("etag", "last-modified", "content-length", "accept-ranges"):
            self.assertEqual(early.headers[name], late.headers[name])

    def test_who_waits_for_the_verdict(self) -> None:
        self.door.stop()
        self.open(content_release="verified")
        last_byte = self.hold_last_byte()
        with self.assertRaises(TimeoutError):
            self.begin(0, 9, timeout=1.0)
        last_byte.set()
        self.assert_bytes(self.begin().read(), self.file.read())

    def test_proven_before_it_is_stored(self) -> None:
        """The verdict opens the tail, not the store: where that cannot take the file, those who asked
        have it all the same, those who asked for the tail alone or wait for the verdict too."""
        for way in ("tail-hold", "verified"):
            with self.subTest(release=way):
                self.open(content_release=way)
                in_the_way = self.door.cache_dir / "objects" / self.file.sha256.hex()[:2]
                in_the_way.unlink(missing_ok=True)
                in_the_way.write_text("no folder")
                last_byte = self.hold_last_byte()
                with ThreadPoolExecutor(2) as pool:
                    got = [pool.submit(lambda first=first: self.begin(first).read())
                           for first in (0, SIZE - 9)]
                    last_byte.set()
                    self.assert_bytes(got[0].result(), self.file.read())
                    self.assert_bytes(got[1].result(), self.file.read(SIZE - 9))
                wait_until("the reason", lambda: "could not be stored" in self.door.log_text())
                self.assertEqual(self.door.metric("sallyport_content_verify_total",
                                                  result="passed"), 0)
                in_the_way.unlink()
                before = len(self.asked())
                self.get(0, SIZE - 1)
                self.assertEqual(len(self.asked()), before + 1)
                self.finished()
                self.door.check_objects()
                self.up = self.upstream(self.catalogue)

    def test_two_hundred_clients_one_transfer(self) -> None:
        self.up.hostile.pace = 0.02

        def client(number: int) -> None:
            if number < 20:
                self.get(0, SIZE - 1, timeout=120.0)
            self.get(number * 1000, 3 * MIB, timeout=120.0, source=f"127.0.0.{number % 20 + 1}")

        with ThreadPoolExecutor(200) as pool:
            list(pool.map(client, range(200)))
        self.assertEqual(len(self.up.content_requests()), 1)
        self.assertEqual(self.fetched(), SIZE)
        if not is_sanitized():
            self.assertLess(self.door.memory(), 200 * MIB)

    # ---- what goes wrong ------------------------------------------------------------------

    def test_wrong_file_is_completed_by_nobody(self) -> None:
        for mode in ("flip", "flip-last"):
            for tls in (False, True):
                with self.subTest(mode=mode, tls=tls):
                    self.nobody_completes(mode, self.door.url if tls else self.door.http_url)
        self.up.hostile.reset()
        self.server.download(self.claim)

    def nobody_completes(self, mode: str, url: str) -> None:
        self.up.hostile.content["*"] = mode
        starts = [0, SIZE - HOLD - MIB, SIZE - HOLD - 1, SIZE - HOLD, SIZE - MIB, SIZE - 1, 0]
        random.Random(mode + url).shuffle(starts)

        def client(first: int) -> None:
            with self.assertRaises((http.client.HTTPException, OSError), msg=first):
                answer = self.begin(first, url=url)
                if answer.status == 502:
                    raise http.client.HTTPException("refused")
                data = answer.read()
                self.fail(f"{len(data)} bytes from {first} on")

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(client, starts))
        self.assertNotIn(self.file.sha256, self.door.objects().values())
        self.assertEqual([*(self.door.cache_dir / "objects").rglob(self.file.sha256.hex())], [])

    def test_how_much_of_a_wrong_file_is_seen(self) -> None:
        self.up.hostile.content["*"] = "flip-last"
        answer = self.begin()
        with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)) as caught:
            answer.read()
        if isinstance(caught.exception, http.client.IncompleteRead):
            self.assertLessEqual(len(caught.exception.partial), SIZE - HOLD)
        self.finished("refused")
        self.assertEqual(len(list((self.door.cache_dir / "quarantine").iterdir())), 1)

    def test_asker_that_leaves(self) -> None:
        self.up.hostile.pace = 0.02
        answer = self.begin()
        answer.read(MIB)
        answer.close()
        with self.assertRaises(TimeoutError):  # one that waits for its head leaves too
            self.begin(SIZE - 1, timeout=0.2)
        self.finished()
        self.server.download(self.claim)
        self.assertEqual(len(self.up.content_requests()), 1)
        self.assertEqual(self.fetched(), SIZE)

    def test_upstream_that_breaks_is_taken_up(self) -> None:
        for ignore in (False, True):
            with self.subTest(ignore_ranges=ignore):
                self.open()
                self.up.hostile.cuts = [10 * MIB, 15 * MIB if ignore else 5 * MIB]
                self.up.hostile.ignore_ranges = ignore
                before = len(self.up.content_requests())
                answer = self.begin()
                self.assert_bytes(answer.read(), self.file.read())
                asked = self.up.content_requests()[before:]
                self.assertEqual([r.header("Range") for r in asked],
                                 ["", f"bytes={10 * MIB}-", f"bytes={15 * MIB}-"])
                if not ignore:
                    self.assertEqual(self.fetched(), SIZE)

    def test_upstream_that_stays_away_cuts(self) -> None:
        self.up.hostile.cuts = [10 * MIB] + [0] * 20
        answer = self.begin()
        with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
        self.finished("failed")
        self.up.hostile.reset()
        self.server.download(self.claim)

    def test_upstream_that_changes_the_file_cuts(self) -> None:
        self.up.hostile.cuts = [10 * MIB]
        answer = self.begin()
        answer.read(9 * MIB)
        self.up.hostile.changed = "x"
        with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
        wait_until("the reason", lambda: "changed this file" in self.door.log_text())

    def test_block_page_is_named(self) -> None:
        self.up.hostile.content["*"] = "html"
        answer = self.begin()
        self.assertEqual(answer.status, 502)
        self.assertRegex(answer.read().decode(), "web page")


if __name__ == "__main__":
    unittest.main()
