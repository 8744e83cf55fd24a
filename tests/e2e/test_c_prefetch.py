"""Files of proven revisions come before anybody asks: those that were chosen, in their window,
behind whoever asks, and after a restart where it was."""
import json
import signal
import threading
import time
import unittest
from datetime import datetime

import harness  # noqa: F401

import catalogue
from gate import wait_until
from scene import Scene


def lines(**keys) -> str:
    """Configuration lines of an upstream."""
    def text(value) -> str:
        if isinstance(value, list):
            return "{ " + ", ".join(map(json.dumps, value)) + " }"
        return json.dumps(value)
    return "".join(f"  prefetch{'_' + k if k != 'on' else ''} = {text(v)}\n"
                   for k, v in {"on": "on", **keys}.items())


def window(first: int, last: int) -> str:
    """From so many hours after now to so many."""
    hour = datetime.now().hour
    return f"{(hour + first) % 24:02}:00-{(hour + last) % 24:02}:00"


class Prefetch(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(191, 60, 14, big=3 << 20)

    def open(self, **keys) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up, upstream_more=lines(**keys))

    def sync(self) -> list:
        with self.downstream(self.door) as server:
            return sorted(server.sync().claims.values(), key=lambda c: c.size)

    def stored(self) -> set[bytes]:
        return set(self.door.objects().values())

    def fetched(self) -> int:
        return int(self.door.metric("sallyport_prefetched_files_total"))

    def all_come(self, claims: list) -> None:
        wanted = {c.sha256 for c in claims}
        wait_until("the files", lambda: self.stored() == wanted, 60)

    def stays_empty(self) -> None:
        """Nothing comes, although it was looked for."""
        before = len(self.up.content_requests())
        time.sleep(2)
        self.assertEqual(len(self.up.content_requests()), before)

    def test_everything_comes_unasked(self) -> None:
        self.open()
        claims = self.sync()
        self.all_come(claims)
        asked = len(self.up.content_requests())
        self.assertEqual(asked, len({c.sha1 for c in claims}), "each of them once")
        with self.downstream(self.door) as server:
            for claim in claims:
                server.download(claim)
        self.assertEqual(len(self.up.content_requests()), asked)
        self.assertEqual(self.fetched(), asked)
        self.assertEqual(int(self.door.metric("sallyport_prefetched_bytes_total")),
                         sum(c.size for c in {c.sha1: c for c in claims}.values()))
        self.assertEqual(self.door.stop(), 0)
        self.door.start()
        self.stays_empty()
        self.door.check_objects()
        self.door.verify_ledger()

    def test_only_what_was_chosen(self) -> None:
        """Bundles have categories, what they bundle has the files."""
        guid = self.catalogue.guid
        security = guid("UpdateClassification Security")
        self.open(classifications=[guid("UpdateClassification Tools"), security],
                  products=[guid("Product Fabrikam 10")])
        claims = self.sync()
        self.stays_empty()
        self.door.write_config(upstream_more=lines(classifications=[security], max=1))
        self.door.restart()  # the walk is behind all of it: only what is new is wanted
        self.stays_empty()
        (next(self.door.cache_dir.glob("prefetch-*"))).unlink()
        self.assertEqual(self.door.stop(), 0)
        next(self.door.cache_dir.glob("prefetch-*")).write_text("0")
        self.door.start()
        self.all_come([c for c in claims if c.size <= 1 << 20])

    def test_not_outside_of_the_window(self) -> None:
        self.open(window=window(2, 3))
        claims = self.sync()
        self.stays_empty()
        self.assertEqual(self.stored(), set())
        self.door.write_config(upstream_more=lines(window=window(-1, 2)))
        self.door.signal(signal.SIGHUP)
        self.all_come(claims)

    def test_off_is_off(self) -> None:
        self.open(on="off")
        self.sync()
        self.stays_empty()
        self.assertEqual(list(self.door.cache_dir.glob("prefetch-*")), [])

    def test_killed_in_between(self) -> None:
        self.open()
        self.up.hostile.pace = 0.2
        claims = self.sync()
        wait_until("the first ones", lambda: self.fetched() >= 2, 30)
        self.door.kill()
        self.assertLess(len(self.stored()), len({c.sha256 for c in claims}))
        self.up.hostile.reset()
        self.door.start()
        self.all_come(claims)

    def test_who_asks_goes_first(self) -> None:
        """While somebody waits for a file, none is begun ahead."""
        self.open(window=window(2, 3))
        claims = self.sync()
        last_byte = self.up.hostile.last_byte = threading.Event()
        thread = threading.Thread(target=lambda: self.downstream(self.door).download(claims[-1]))
        thread.start()
        try:
            wait_until("the fetch", self.up.content_requests)
            self.door.write_config(upstream_more=lines())
            self.door.signal(signal.SIGHUP)
            wait_until("the reload", lambda: any(e["event"] == "reloaded" for e in self.door.log()))
            self.stays_empty()
        finally:
            last_byte.set()
            thread.join(60)
        self.all_come(claims)

    def test_a_full_cache_waits(self) -> None:
        """Nothing is evicted for what nobody asked for."""
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up, upstream_more=lines(), cache_max=4)
        claims = self.sync()
        wait_until("some files", lambda: self.fetched() >= 3, 30)
        self.stays_until_quiet()
        sizes = {c.sha256: c.size for c in claims}
        self.assertLessEqual(sum(sizes[d] for d in self.stored()), 4 << 20)
        self.assertLess(len(self.stored()), len(sizes))
        self.assertEqual(self.door.metric("sallyport_cache_evictions_total"), 0)

    def stays_until_quiet(self) -> None:
        seen = -1
        while seen != self.fetched():
            seen = self.fetched()
            time.sleep(1)


if __name__ == "__main__":
    unittest.main()
