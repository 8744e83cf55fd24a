"""What an administrator keeps: pins outlive evictions, restarts and damage; evidence is released
only when it passes today, and the ledger says who wanted it and why."""
import unittest

import harness  # noqa: F401

from gate import wait_until
from test_c_heal import MIB, Healing


class Keeping(Healing):
    def run_store(self, *words: str, status: int = 0) -> str:
        done = self.door.command("store", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr


class Pins(Keeping):
    def extra(self) -> dict:
        return {"cache_max": 10, "scrub_rate": 1}

    def test_pinned_files_stay(self) -> None:
        first = next(c for c in self.claims if c.size == MIB)
        name = first.sha256.hex()
        self.run_store("pin", name, status=66)  # not here yet
        self.server.download(first)
        self.run_store("pin", name)
        self.run_store("pin", name)
        self.assertIn("pinned      1 files", self.run_store("stats"))
        self.assertIn("  pinned", self.run_store("list"))
        inode = self.path(first).stat().st_ino
        self.assertEqual(self.door.stop(), 0)
        for path in self.door.state_dir.iterdir():
            if path.is_file():
                path.unlink()  # the index
        self.door.start()
        for _ in range(3):
            for claim in self.claims:
                if claim != first:
                    self.server.download(claim)
        self.assertGreater(self.door.metric("sallyport_cache_evictions_total"), 0)
        self.assertEqual(self.path(first).stat().st_ino, inode)
        self.flip(first, 5)
        self.assertEqual(self.door.stop(), 0)
        self.door.start()
        self.heals(first)
        self.assertIn(f"{name}  ", self.run_store("list"))
        self.assertIn("  pinned", self.run_store("list"), "the pin is the digest's")
        self.run_store("unpin", name)
        self.run_store("unpin", name, status=66)
        self.assertNotIn("pinned", self.run_store("list"))

    def test_usage(self) -> None:
        self.run_store("pin", status=64)
        self.run_store("pin", "0" * 63, status=64)
        self.run_store("unpin", "g" * 64, status=64)
        self.run_store("pin", "0" * 64, "1" * 64, status=64)


class Release(Keeping):
    def extra(self) -> dict:
        return {"scrub_rate": 1}

    def releases(self, *words: str, status: int) -> str:
        return self.run_store("quarantine", "release", *words, status=status)

    def spoil_tree(self, claim) -> None:
        tree = self.path(claim).with_name(claim.sha256.hex() + ".tree")
        tree.write_bytes(tree.read_bytes()[:-1])

    def test_what_is_good_comes_back(self) -> None:
        """A file whose tree was lost is good itself."""
        self.fill()
        claim = self.claims[-1]
        self.assertEqual(self.door.stop(), 0)
        self.spoil_tree(claim)
        self.run_store("scrub", status=1)
        self.assertEqual(len(self.evidence()), 1)
        entries = len(self.door.command("ledger", "list").stdout.splitlines())
        reason = "looked at it, only the tree was bad"
        said = self.releases("--dry-run", "--reason", reason, "1", status=0)
        self.assertIn("would be released", said)
        self.assertEqual(len(self.evidence()), 1)
        self.assertFalse(self.path(claim).exists())
        said = self.releases("--reason", reason, "1", status=0)
        self.assertIn(f"{claim.sha256.hex()}  released, ledger entry {entries}\n", said)
        self.assertEqual(self.evidence(), [])
        self.assertEqual(self.path(claim).read_bytes(), self.body(claim))
        shown = self.door.command("ledger", "show", str(entries)).stdout
        self.assertIn(f"release.reason {reason}\n", shown)
        self.assertIn("release.entry ", shown)
        self.assertIn("verdict.ruling passed\n", shown)
        self.door.verify_ledger()
        self.door.start()
        before = len(self.up.content_requests())
        self.assertIsNotNone(self.ask(claim))
        self.assertEqual(len(self.up.content_requests()), before)
        self.assertIn("stop the daemon", self.releases("--reason", "x", "1", status=75))

    def test_what_is_bad_stays(self) -> None:
        """Damage is not what the ledger knows; a refused file is refused again."""
        self.fill()
        hit = self.claims[-1]
        self.assertEqual(self.door.stop(), 0)
        self.flip(hit, hit.size // 2)
        self.run_store("scrub", status=1)
        before = self.evidence()
        said = self.releases("--reason", "I want it", "1", status=66)
        self.assertIn("no entry about exactly these bytes", said)
        self.assertEqual(self.evidence(), before)
        self.run_store("quarantine", "purge")
        self.up.hostile.content[hit.sha1.hex().upper()] = "flip"
        self.door.start()
        self.assertIsNone(self.ask_any(hit))
        wait_until("the evidence", lambda: len(self.evidence()) == 1)
        self.assertEqual(self.door.stop(), 0)
        said = self.releases("--reason", "I want it", "1", status=1)
        self.assertIn("stays: file-sha1", said)
        self.assertEqual(len(self.evidence()), 1)
        self.door.verify_ledger()

    def ask_any(self, claim) -> bytes | None:
        answer = None
        try:
            answer = self.wire(self.door.http_url).ask("GET", claim.path)
        except OSError:
            pass
        return answer.body if answer and answer.status == 200 else None

    def test_usage(self) -> None:
        self.assertEqual(self.door.stop(), 0)
        self.releases("1", status=64)  # no reason
        self.releases("--reason", "x", "one", status=64)
        self.releases("--reason", "x", status=64)
        self.releases("--reason", "x", "0", status=66)
        self.releases("--reason", "x", "1", status=66)


if __name__ == "__main__":
    unittest.main()
