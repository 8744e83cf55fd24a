"""A cache that heals itself: damage on disk is never served, found, recorded and fetched again;
room is made by evicting what nobody reads; kills leave nothing half-done."""
import concurrent.futures
import hashlib
import http.client
import os
import random
import ssl
import tempfile
import threading
import time
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
from downstream import Downstream
from gate import is_sanitized, wait_until
from scene import Scene

MIB = 1 << 20
CUT = (OSError, http.client.HTTPException, ssl.SSLError)


class Healing(Scene):
    FILES, BIG = 14, 6 * MIB

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(161, 60, cls.FILES, big=cls.BIG)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.settings = self.extra()
        self.door = self.gate(self.up, **self.settings)
        self.server = self.downstream(self.door)
        self.claims = sorted(self.server.sync().claims.values(), key=lambda c: c.size)

    def extra(self) -> dict:
        return {}

    def fill(self) -> None:
        for claim in self.claims:
            self.server.download(claim)
        self.server.close()

    def path(self, claim) -> Path:
        name = claim.sha256.hex()
        return self.door.cache_dir / "objects" / name[:2] / name

    def body(self, claim) -> bytes:
        return self.catalogue.by_digest[claim.sha1].read()

    def flip(self, claim, offset: int, bit: int = 1) -> None:
        path = self.path(claim)
        path.chmod(0o600)
        with path.open("r+b") as data:
            data.seek(offset)
            byte = data.read(1)[0]
            data.seek(offset)
            data.write(bytes([byte ^ bit]))
        path.chmod(0o400)

    def agree(self, claim) -> None:
        """Makes the tree agree with what the file is now."""
        data = self.path(claim).read_bytes()
        tree = self.path(claim).with_name(claim.sha256.hex() + ".tree")
        old = tree.read_bytes()
        new = old[:56] + b"".join(hashlib.sha256(data[i:i + MIB]).digest()
                                  for i in range(0, len(data), MIB))
        tree.write_bytes(new + hashlib.sha256(new).digest())

    def ask(self, claim, first: int = 0, last: int = -1) -> bytes | None:
        """What comes, or None when the connection is cut; a wrong byte is a failure."""
        last = claim.size - 1 if last < 0 else last
        connection = http.client.HTTPConnection("127.0.0.1", self.door.http_port, timeout=30)
        got = b""
        try:
            connection.request("GET", claim.path, headers={"Range": f"bytes={first}-{last}"})
            reply = connection.getresponse()
            self.assertEqual(reply.status, 206)
            while piece := reply.read1(65536):
                got += piece
        except CUT:
            pass
        finally:
            connection.close()
        expected = self.body(claim)[first:last + 1]
        self.assertTrue(expected.startswith(got), "a wrong byte was sent")
        return got if len(got) == len(expected) else None

    def heals(self, claim, first: int = 0, last: int = -1) -> None:
        """Cut at most once, then right."""
        for wait in (0, 0.05, 0.05):
            if self.ask(claim, first, last) is not None:
                return
            time.sleep(wait)
        self.fail("it does not come back")

    def damaged(self) -> int:
        return int(self.door.metric("sallyport_damaged_files_total"))

    def entries(self, kind: str) -> list[str]:
        done = self.door.command("ledger", "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line for line in done.stdout.splitlines() if line.split()[2] == kind]

    def shown(self, line: str) -> str:
        return self.door.command("ledger", "show", line.split()[0]).stdout

    def evidence(self) -> list[str]:
        return sorted(p.name for p in (self.door.cache_dir / "quarantine").iterdir())


class FirstRead(Healing):
    def extra(self) -> dict:
        return {"scrub_rate": 1}

    def test_good_blocks_in_front_are_served(self) -> None:
        self.fill()
        big = self.claims[-1]
        self.assertEqual(self.door.stop(), 0)
        self.flip(big, 4 * MIB + 7)
        self.door.start()
        before = len(self.up.content_requests())
        self.assertEqual(self.ask(big, 0, 10), self.body(big)[:11])
        self.assertIsNone(self.ask(big, 4 * MIB, 4 * MIB + 5), "good bytes of a bad block")
        self.heals(big)
        self.assertEqual(len(self.up.content_requests()), before + 1)
        wait_until("the record", lambda: len(self.entries("damage")) == 1)
        line = self.entries("damage")[0]
        self.assertIn(big.sha256.hex(), line)
        shown = self.door.command("ledger", "show", line.split()[0]).stdout
        self.assertIn(f"file.damage-at {4 * MIB}\n", shown)
        self.assertEqual(len(self.evidence()), 1)
        self.assertIn(f"{big.sha256.hex()}.damaged", self.evidence()[0])

    def test_all_lanes_refuse_at_once(self) -> None:
        """A file that every lane has open: one finds the damage, all let go of it."""
        self.fill()
        big = self.claims[-1]
        self.assertEqual(self.door.stop(), 0)
        self.flip(big, 5 * MIB)
        self.door.start()
        for _ in range(32):  # connections spread over the lanes
            self.assertEqual(self.ask(big, 0, 5), self.body(big)[:6])
        self.assertIsNone(self.ask(big, 5 * MIB, 5 * MIB + 9))
        for _ in range(32):
            self.heals(big, 5 * MIB, 5 * MIB + 9)
        self.assertEqual(self.damaged(), 1)

    def test_trees_are_guarded_too(self) -> None:
        self.fill()
        self.assertEqual(self.door.stop(), 0)
        for number, claim in enumerate(self.claims):
            tree = self.path(claim).with_name(claim.sha256.hex() + ".tree")
            data = tree.read_bytes()
            if number % 3 == 0:
                tree.unlink()
            elif number % 3 == 1:
                tree.write_bytes(data[:-1])
            else:
                at = len(data) // 2
                tree.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:])
        self.door.start()
        for claim in self.claims:
            self.heals(claim)
        self.door.check_objects()

    def test_the_ledger_knows_the_tree(self) -> None:
        """Who can write the cache can write a tree that fits, but not its root in the ledger."""
        self.fill()
        self.assertEqual(self.door.stop(), 0)
        for claim in self.claims:
            self.flip(claim, claim.size // 2)
            self.agree(claim)
        count = len({c.sha256 for c in self.claims})
        self.verifies(f"{count} files, of which {count} ", 1)
        self.door.start()
        for claim in self.claims:
            self.heals(claim)
        self.verifies(f"{count} files, of which 0 ", 0)
        self.assertEqual(self.damaged(), len({c.sha256 for c in self.claims}))
        big = self.claims[-1]
        shown = next(text for text in map(self.shown, self.entries("file"))
                     if f"file.sha256 {big.sha256.hex()}\n" in text)
        tree = self.path(big).with_name(big.sha256.hex() + ".tree").read_bytes()
        self.assertIn(f"file.tree {tree[-32:].hex()}\n", shown)

    def verifies(self, words: str, status: int) -> None:
        """ledger verify, with the store."""
        done = self.door.command("ledger", "verify", "--store")
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertIn(words, done.stdout)
        self.assertEqual(done.stdout.count("another block tree"), 0 if status == 0 else
                         len({c.sha256 for c in self.claims}))
        self.assertEqual(self.door.command("ledger", "verify").returncode, 0)

    def test_planted_things(self) -> None:
        """A link, a FIFO, a folder, a second name: none is followed, all is put right."""
        self.fill()
        self.assertEqual(self.door.stop(), 0)
        secret = self.door.directory / "secret"
        plants = self.claims[-4:]
        secret.write_bytes(self.body(plants[0]))
        for claim in plants[:3]:
            self.path(claim).unlink()
        self.path(plants[0]).symlink_to(secret)
        os.mkfifo(self.path(plants[1]))
        self.path(plants[2]).mkdir()
        os.link(self.path(plants[3]), self.door.directory / "second-name")
        self.door.start()
        for claim in plants:
            self.heals(claim)
            self.assertTrue(self.path(claim).is_file())
            self.assertFalse(self.path(claim).is_symlink())
            self.assertEqual(self.path(claim).stat().st_nlink, 1)
        self.assertEqual(self.damaged(), 4)
        self.assertTrue(secret.is_file())

    def test_shrunk_while_it_runs(self) -> None:
        """A file that was good and open is cut short: never served past it, then healed."""
        self.fill()
        big = self.claims[-1]
        self.assertIsNotNone(self.ask(big))
        path = self.path(big)
        path.chmod(0o600)
        os.truncate(path, 3 * MIB)
        self.assertIsNone(self.ask(big, 3 * MIB, 3 * MIB + 9))
        self.heals(big)
        self.assertEqual(self.damaged(), 1)


class Flipped(Healing):
    FILES, BIG = 140, 3 * MIB

    def extra(self) -> dict:
        """In memory where that is: a thousand files are made durable."""
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        disk = Path(self.enterContext(tempfile.TemporaryDirectory(dir=memory)))
        return {"scrub_rate": 1, "cache_dir": disk / "cache", "state_dir": disk / "state"}

    def hit(self, chance: random.Random, files: list) -> list[int]:
        places = [chance.randrange(claim.size) for claim in files]
        for claim, at in zip(files, places):
            self.flip(claim, at, 1 << chance.randrange(8))
        return places

    def read(self, claim, at: int, near: bool) -> None:
        if near:
            self.heals(claim, max(0, at - 100), min(claim.size - 1, at + 100))
        self.heals(claim)

    def test_a_thousand_places(self) -> None:
        """Over all files, each alone: no wrong byte is sent, all are found, all heal."""
        self.fill()
        chance = random.Random(5)
        files = list({c.sha256: c for c in self.claims}.values())
        found = 0
        with concurrent.futures.ThreadPoolExecutor(8) as readers:
            while found < (100 if is_sanitized() else 1000):
                self.assertEqual(self.door.stop(), 0)
                places = self.hit(chance, files)
                self.door.start()
                list(readers.map(lambda c, at: self.read(c, at, at % 2 > 0), files, places))
                # those that the scrubber found first were healed without a cut
                self.assertEqual(self.damaged(), len(files))
                found += len(files)
        self.assertEqual(self.door.stop(), 0)
        self.assertEqual(self.door.check_objects(), len(files))
        self.door.verify_ledger()
        self.assertEqual(len(self.entries("damage")), found)


class Always(Healing):
    def extra(self) -> dict:
        return {"recheck": "always", "scrub_rate": 1}

    def test_damage_while_it_runs(self) -> None:
        """Blocks that were read before are checked again."""
        self.fill()
        for number, claim in enumerate(c for c in self.claims if c.size > 1000):
            self.assertIsNotNone(self.ask(claim))
            self.flip(claim, claim.size // 2)
            self.heals(claim)
            self.assertEqual(self.damaged(), number + 1)
        self.door.check_objects()


class Scrubbed(Healing):
    def extra(self) -> dict:
        return {"scrub_rate": 1000}

    def passes(self) -> int:
        return int(self.door.metric("sallyport_scrub_passes_total"))

    def test_damage_is_found_without_a_read(self) -> None:
        self.fill()
        self.assertEqual(self.door.stop(), 0)
        hit = [c for c in self.claims if c.size > 1000]
        for claim in hit:
            self.flip(claim, claim.size - 1)
        self.door.start()
        wait_until("a pass", lambda: self.passes() == 1, 60)
        self.assertEqual(self.damaged(), len(hit))
        wait_until("the records", lambda: len(self.entries("damage")) == len(hit))
        scrub = self.door.status()["cache"]["scrub"]
        self.assertEqual(scrub["ended"][-1:], "Z")
        for claim in self.claims:
            self.assertIsNotNone(self.ask(claim), "healed without a cut")
        self.door.check_objects()

    def test_object_and_tree_changed_together(self) -> None:
        """Whoever makes the tree agree is found by the digest of the whole."""
        self.fill()
        claim = self.claims[-1]
        self.assertEqual(self.door.stop(), 0)
        self.flip(claim, 9)
        self.agree(claim)
        self.door.start()
        wait_until("a pass", lambda: self.passes() == 1, 60)
        self.assertEqual(self.damaged(), 1)
        self.heals(claim)

    def test_a_pass_goes_on_after_a_restart(self) -> None:
        self.fill()
        self.assertEqual(self.door.stop(), 0)
        self.door.write_config(scrub_rate=4)
        self.door.start()
        files = len({c.sha256 for c in self.claims})

        def read() -> int:
            return int(self.door.metric("sallyport_scrub_files_total"))

        wait_until("some files", lambda: 2 <= read() < files)
        self.assertEqual(self.door.stop(), 0)
        note = (self.door.cache_dir / "scrub").read_text()
        self.assertEqual(len(note), 64)
        names = sorted(c.sha256.hex() for c in self.claims)
        self.assertIn(note, names[:-1])
        self.door.write_config(scrub_rate=1000)
        self.door.start()
        wait_until("a pass", lambda: self.passes() == 1, 60)
        self.assertEqual(read(), files, "around once, each file once")
        self.assertEqual((self.door.cache_dir / "scrub").read_text(), "")


class Room(Healing):
    """cache_max holds a part of the files."""

    def extra(self) -> dict:
        return {"cache_max": 10}

    def used(self) -> int:
        return sum(p.stat().st_size for p in (self.door.cache_dir / "objects").rglob("*")
                   if p.is_file() and p.suffix != ".tree")

    def test_quota_is_kept(self) -> None:
        self.assertGreater(sum(c.size for c in self.claims), 10 * MIB)
        chance = random.Random(3)
        for _ in range(40):
            self.server.download(chance.choice(self.claims))
            self.assertLessEqual(self.used(), 10 * MIB)
        self.assertGreater(self.door.metric("sallyport_cache_evictions_total"), 0)
        self.assertEqual(self.door.status()["cache"]["bytes"], self.used())
        self.door.check_objects()
        objects = list((self.door.cache_dir / "objects").rglob("*"))
        trees = {p.stem for p in objects if p.suffix == ".tree"}
        self.assertEqual(trees, {p.name for p in objects if p.is_file()
                                 and p.suffix != ".tree"})

    def test_longest_unused_goes_first_also_after_a_restart(self) -> None:
        first, second, third = [next(c for c in self.claims if c.size == size)
                                for size in (1_048_576, 1_048_577, 2_500_000)]
        for claim in (first, second, third, first):
            self.server.download(claim)
            time.sleep(1.1)  # times of use have seconds
        self.server.close()
        self.assertEqual(self.door.stop(), 0)
        self.door.write_config(cache_max=4)  # less than the three take
        self.door.start()
        self.server.download(next(c for c in self.claims if c.size == 300_000))
        self.assertTrue(self.path(first).exists(), "it was used last")
        self.assertFalse(self.path(second).exists(), "nobody used it for longest")
        self.assertTrue(self.path(third).exists(), "the room was enough")

    def test_larger_than_the_cache(self) -> None:
        self.server.close()
        self.door.write_config(cache_max=5)
        self.door.restart()
        self.server.download(self.claims[0])
        answer = self.wire(self.door.http_url).ask("GET", self.claims[-1].path)
        self.assertEqual(answer.status, 503)
        self.assertIn(b"cache_max", answer.body)
        self.assertTrue(self.path(self.claims[0]).exists(), "nothing was evicted in vain")

    def test_what_is_read_is_not_evicted(self) -> None:
        """A reader in the middle of a file, and others who need its room."""
        big = self.claims[-1]
        self.server.download(big)
        connection = http.client.HTTPConnection("127.0.0.1", self.door.http_port, timeout=30)
        connection.connect()
        connection.sock.setsockopt(6, 10, 1)  # a small window: TCP_WINDOW_CLAMP
        connection.request("GET", big.path)
        reply = connection.getresponse()
        got = reply.read(1000)
        for claim in [c for c in self.claims[:-1] if c.size > 1000] * 2:
            self.server.download(claim)
            self.assertTrue(self.path(big).exists(), "evicted under its reader")
        got += reply.read()
        connection.close()
        self.assert_bytes(got, self.body(big))
        self.assertLessEqual(self.used(), 10 * MIB)


class Commands(Healing):
    """sallyport store: beside the daemon it only looks, without it it puts in order."""

    def extra(self) -> dict:
        return {"scrub_rate": 1}

    def run_store(self, *words: str, status: int = 0) -> str:
        done = self.door.command("store", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def snapshot(self) -> dict[str, int]:
        return {str(p): p.lstat().st_ino for p in self.door.cache_dir.rglob("*")
                if p.name != "scrub"}

    def test_beside_a_running_daemon(self) -> None:
        self.fill()
        before = self.snapshot()
        files = len({c.sha256 for c in self.claims})
        total = sum(c.size for c in {c.sha256: c for c in self.claims}.values())
        self.assertIn(f"{files} files, {total} bytes", self.run_store("stats"))
        listed = self.run_store("list").splitlines()
        self.assertEqual(sorted(x.split()[0] for x in listed),
                         sorted({c.sha256.hex() for c in self.claims}))
        self.assertIn("0 damaged", self.run_store("scrub", "--dry-run"))
        self.assertIn("would remove 0 files", self.run_store("gc", "--dry-run"))
        self.assertEqual(self.run_store("quarantine", "list"), "")
        for words in (["scrub"], ["gc"]):
            self.assertIn("stop the daemon", self.run_store(*words, status=75))
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(self.door.health(), 200)

    def test_scrub_and_purge(self) -> None:
        self.fill()
        self.assertEqual(self.door.stop(), 0)
        self.assertIn("0 damaged", self.run_store("scrub"))
        hit = self.claims[-2:]
        for claim in hit:
            self.flip(claim, claim.size // 3)
        before = self.snapshot()
        said = self.run_store("scrub", "--dry-run", status=1)
        self.assertEqual(said.count("DAMAGED"), 2)
        self.assertIn("left where they are", said)
        self.assertEqual(self.snapshot(), before)
        said = self.run_store("scrub", status=1)
        for claim in hit:
            self.assertIn(f"{claim.sha256.hex()}  DAMAGED", said)
            self.assertFalse(self.path(claim).exists())
        self.assertIn("0 damaged", self.run_store("scrub"))
        self.assertEqual(len(self.run_store("quarantine", "list").splitlines()), 2)
        self.door.start()
        self.assertIn("would remove 2 files", self.run_store("quarantine", "purge", "--dry-run"))
        self.assertEqual(len(self.evidence()), 2)
        self.assertIn("removed 2 files", self.run_store("quarantine", "purge"))
        self.assertEqual(self.evidence(), [])
        for claim in hit:
            self.assertIsNotNone(self.ask(claim), "fetched again without a cut")

    def test_gc(self) -> None:
        self.fill()
        self.assertEqual(self.door.stop(), 0)
        claim = self.claims[-1]
        orphan = self.door.cache_dir / "objects" / "aa" / ("aa" * 32)
        orphan.parent.mkdir(exist_ok=True)
        orphan.write_bytes(b"nobody knows me")
        stray = orphan.with_name("aa" + "ab" * 31 + ".tree")
        stray.write_bytes(b"")
        half = self.path(claim).with_name(claim.sha256.hex() + ".tree.new")
        half.write_bytes(b"half")
        before = self.snapshot()
        self.assertIn("would remove 1 files, 15 bytes, and 2 leftovers",
                      self.run_store("gc", "--dry-run"))
        self.assertEqual(self.snapshot(), before)
        self.assertIn("removed 1 files, 15 bytes, and 2 leftovers", self.run_store("gc"))
        self.assertFalse(orphan.exists() or stray.exists() or half.exists())
        self.assertEqual(self.door.check_objects(), len({c.sha256 for c in self.claims}))
        self.assertIn("removed 0 files, 0 bytes, and 0 leftovers", self.run_store("gc"))
        self.door.start()
        before = len(self.up.content_requests())
        for claim in self.claims:
            self.assertIsNotNone(self.ask(claim))
        self.assertEqual(len(self.up.content_requests()), before, "nothing was lost")

    def test_gc_after_a_kill_keeps_what_was_acknowledged(self) -> None:
        self.fill()
        self.door.kill()
        self.assertIn("removed 0 files", self.run_store("gc"))

    def test_usage(self) -> None:
        self.run_store("list", "more", status=64)
        self.run_store("list", "--dry-run", status=64)
        self.run_store("lost", status=64)


class Killed(Healing):
    def extra(self) -> dict:
        return {"cache_max": 10, "scrub_rate": 500}

    def test_kills_at_any_time(self) -> None:
        """Fill, commit, evict and scrub under kill -9."""
        chance = random.Random(17)
        stop = threading.Event()

        def work(seed: int) -> None:
            mine = random.Random(seed)
            while not stop.is_set():
                try:
                    with self.fresh() as server:
                        server.download(mine.choice(self.claims))
                except (*CUT, AssertionError, OSError):
                    time.sleep(0.02)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5 if is_sanitized() else 12):
                time.sleep(0.1 + chance.random() * 0.5)
                self.door.kill()
                self.door.verify_ledger()
                self.door.check_objects()
                self.door.start()
                self.assertEqual(self.leftovers(), [])
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        self.assertEqual(self.damaged(), 0, "a crash is no damage")
        for claim in self.claims:
            self.heals(claim)
        self.assertEqual(self.entries("damage"), [])

    def fresh(self) -> Downstream:
        return Downstream(self.door.url, self.pki.ca, content=self.door.http_url)

    def leftovers(self) -> list[str]:
        """Trees without an object; objects without a tree may not be."""
        objects = list((self.door.cache_dir / "objects").rglob("*"))
        names = {p.name for p in objects if p.is_file()}
        return [n for n in names if not n.endswith(".tree") and n + ".tree" not in names]


if __name__ == "__main__":
    unittest.main()
