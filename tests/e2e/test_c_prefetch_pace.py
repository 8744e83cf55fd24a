"""A transfer for which nobody waits stands still behind everybody who asks, and keeps to its rate."""
import contextlib
import threading
import time
import unittest

import harness  # noqa: F401

import catalogue
from gate import wait_until
from scene import Scene

MIB = 1 << 20
SIZE = 24 * MIB
STALL = 6 * MIB
LINES = "  prefetch = \"on\"\n"


class Pace(Scene):
    """Two large files: while the first is fetched ahead, the other is asked for."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(193, 30, 8, big={4: SIZE, 7: SIZE + 1})

    def open(self, lines: str = LINES) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up, upstream_more=lines)
        self.server = self.downstream(self.door)

    def fetched(self) -> int:
        return int(self.door.metric("sallyport_content_fetched_bytes_total"))

    def half_way(self) -> threading.Event:
        """The first large file is fetched ahead and stands at STALL, until the event is set."""
        event = threading.Event()
        self.addCleanup(event.set)
        self.up.hostile.stall = (STALL, event)
        claims = {c.path.lower(): c for c in self.server.sync().claims.values()}
        large = {path for path, c in claims.items() if c.size >= SIZE}
        wait_until("a large file", lambda: large & set(self.begun()), 30)
        ahead = self.begun()[-1]
        self.ahead, self.asked = claims[ahead], claims[(large - {ahead}).pop()]
        others = sum(claims[path].size for path in self.begun()[:-1])
        wait_until("what comes before", lambda: self.fetched() == others + STALL)
        self.up.hostile.stall = None
        return event

    def begun(self) -> list[str]:
        return [r.target.lower() for r in self.up.content_requests()]

    def sent(self, claim) -> int:
        """Bytes of bodies on the connection that brings this file."""
        return sum(c.sent_bytes for s in self.up.servers for c in s.connections
                   if c.requests and c.requests[-1].target.lower() == claim.path.lower())

    def stored(self) -> set[bytes]:
        return set(self.door.objects().values())

    def test_stands_still_behind_another_file(self) -> None:
        """What somebody waits for has all of a slow upstream's line."""
        self.open()
        go_on = self.half_way()
        self.up.hostile.pace = 0.05
        last_byte = self.up.hostile.last_byte = threading.Event()
        self.addCleanup(last_byte.set)
        before, sent = self.fetched(), self.sent(self.ahead)
        asker = threading.Thread(target=self.server.download, args=(self.asked,))
        asker.start()
        wait_until("the request", lambda: self.asked.path.lower() in self.begun())
        go_on.set()
        wait_until("all but a byte", lambda: self.fetched() >= before + self.asked.size - 1, 60)
        self.assertEqual(self.fetched(), before + self.asked.size - 1, "bytes of the other file")
        self.assertLess(self.sent(self.ahead) - sent, SIZE // 2, "more than sockets hold")
        last_byte.set()
        asker.join(60)
        wait_until("the rest", lambda: self.ahead.sha256 in self.stored(), 60)
        self.assertEqual(self.begun().count(self.ahead.path.lower()), 1, "one transfer")
        self.door.check_objects()

    @contextlib.contextmanager
    def behind_metadata(self):
        """Somebody waits for metadata, and the file that is fetched ahead could go on."""
        go_on = self.half_way()
        hold = self.up.hostile.hold = threading.Event()
        self.addCleanup(hold.set)
        asker = threading.Thread(target=self.server.config)
        asked = len(self.up.requests())
        asker.start()
        wait_until("the relay", lambda: len(self.up.requests()) > asked)
        go_on.set()
        yield
        self.assertTrue(asker.is_alive(), "nobody waits for metadata any more")
        hold.set()
        asker.join(30)

    def test_stands_still_behind_metadata(self) -> None:
        self.open()
        with self.behind_metadata():
            before = self.fetched()
            time.sleep(1)
            self.assertEqual(self.fetched(), before)
            self.assertNotIn(self.ahead.sha256, self.stored())
        wait_until("the rest", lambda: self.ahead.sha256 in self.stored(), 60)

    def test_who_asks_for_it_has_it_at_once(self) -> None:
        self.open()
        with self.behind_metadata(), self.downstream(self.door) as other:
            other.download(self.ahead)

    def test_the_rate_holds_within_a_file(self) -> None:
        """A tenth of a second and a piece may be ahead of it, not a file."""
        rate = 2 * MIB
        self.open(LINES + f"  prefetch_rate = {rate // 1024}\n")
        since = time.monotonic()
        self.server.sync()
        wait_until("a part", lambda: self.fetched() > 4 * MIB, 60)
        for _ in range(20):
            came = self.fetched()
            self.assertLessEqual(came, (time.monotonic() - since + 0.2) * rate)
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
