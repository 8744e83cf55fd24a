"""A cold file, large enough to flow while it comes, and ways to ask for it."""
import http.client
import re
import threading

import catalogue
from gate import wait_until
from scene import Scene

MIB = 1 << 20


class ColdFile(Scene):
    """self.file is not in the cache of self.door; SIZE says how large it is."""

    SIZE = 24 * MIB + 77
    SEED = 41

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(cls.SEED, 30, 8, big=cls.SIZE)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.open()

    def open(self, **settings) -> None:
        self.door = self.gate(self.up, **settings)
        self.server = self.downstream(self.door)
        claims = self.server.sync().claims.values()
        self.claim = max(claims, key=lambda c: c.size)
        self.assertEqual((self.claim.size, self.claim.path[-4:]), (self.SIZE, ".cab"))
        self.file = self.catalogue.by_digest[self.claim.sha1]
        self.metadata_bytes = self.up.content_bytes()

    def fetched(self) -> int:
        return self.up.content_bytes() - self.metadata_bytes

    def asked(self) -> list[str]:
        """The Range of every content request so far."""
        return [r.header("Range") for r in self.up.content_requests()]

    def check_nothing_twice(self) -> None:
        """No two closed ranges that were asked for overlap."""
        closed = sorted((int(m[1]), int(m[2])) for m in
                        (re.fullmatch(r"bytes=(\d+)-(\d+)", a) for a in self.asked()) if m)
        for (first, last), (after, _) in zip(closed, closed[1:]):
            self.assertLess(last, after, f"{first}-{last} was asked for, and then {after}-")

    def begin(self, first: int = 0, last: int = -1, url: str = "", timeout: float = 30.0,
              source: str = "127.0.0.1") -> http.client.HTTPResponse:
        """A GET whose head has come."""
        last = self.SIZE - 1 if last < 0 else last
        wire = self.wire(url or self.door.http_url)
        connection = (
            http.client.HTTPSConnection(wire.host, wire.port, timeout=timeout,
                                        context=wire.context) if wire.tls else
            http.client.HTTPConnection(wire.host, wire.port, timeout=timeout,
                                       source_address=(source, 0)))
        self.addCleanup(connection.close)
        headers = {"Connection": "close"}
        if (first, last) != (0, self.SIZE - 1):
            headers["Range"] = f"bytes={first}-{last}"
        connection.request("GET", self.claim.path, headers=headers)
        return connection.getresponse()

    def get(self, first: int, last: int, **options) -> None:
        """The right bytes come."""
        answer = self.begin(first, last, **options)
        self.assert_bytes(answer.read(), self.file.read(first, last + 1), (first, answer.status))

    def in_background(self, work, *words) -> threading.Thread:
        thread = threading.Thread(target=work, args=words)
        thread.start()
        self.addCleanup(thread.join, 60)
        return thread

    def event(self) -> threading.Event:
        event = threading.Event()
        self.addCleanup(event.set)
        return event

    def stall(self, at: int) -> threading.Event:
        """The upstream's open-ended answers stand still before this byte."""
        event = self.event()
        self.up.hostile.stall = (at, event)
        return event

    def finished(self, result: str = "passed") -> None:
        wait_until(f"a file that {result}", lambda: self.door.metric(
            "sallyport_content_verify_total", result=result) > 0)
