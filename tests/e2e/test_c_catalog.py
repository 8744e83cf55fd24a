"""sallyport catalog: an offline catalogue signed by a PKI of this test, judged, indexed, searched."""
import contextlib
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401  finds tests/support
import offline
import signing
from gate import binary

OK, REFUSED, USAGE, DATA, MISSING = 0, 1, 64, 65, 66
UPDATES = 1500


@unittest.skipUnless(signing.can_sign(), "nothing signs here")
class Catalog(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.signer = signing.Signer(cls.directory)
        offline.write(cls.directory / "plain.cab", UPDATES, a_cabinet=250)
        cls.signer.sign("plain.cab", "good.cab")

    def run_it(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([binary(), "catalog", *words], cwd=self.directory,
                              capture_output=True, text=True, timeout=60)

    def check(self, name: str, index: str = "x.db") -> subprocess.CompletedProcess[str]:
        return self.run_it("check", "--trust", "pins.txt", "--bundle", "bundle.pem",
                           "--index", index, name)

    def refused(self, name: str, why: str) -> None:
        done = self.check(name, "none.db")
        self.assertEqual(done.returncode, REFUSED, done.stdout + done.stderr)
        self.assertIn(why, done.stdout)
        self.assertFalse((self.directory / "none.db").exists())

    def test_what_it_says(self) -> None:
        done = self.check("good.cab")
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        for line in (f"revisions   {UPDATES}", "signed      2025-06-15T15:06:40Z",
                     "created     2026-01-13T10:00:00Z"):
            self.assertIn(line, done.stdout)
        status = self.run_it("status", "--index", "x.db")
        self.assertEqual((status.returncode, status.stdout), (OK, done.stdout))

    def test_find_and_show(self) -> None:
        self.assertEqual(self.check("good.cab").returncode, OK)
        for i in (0, 251, 502, 753, 1004, UPDATES - 2):  # one of each kind of cabinet
            found = self.run_it("find", "--index", "x.db", f"KB{offline.kb(i)}")
            self.assertEqual(found.returncode, OK)
            self.assertIn(f"{offline.update_id(i)}.{offline.number(i)}  KB{offline.kb(i)}",
                          found.stdout)
            self.assertIn(offline.title(i), found.stdout)
            shown = self.run_it("show", "--index", "x.db",
                                f"{offline.update_id(i)}.{offline.number(i)}")
            self.assertEqual(shown.returncode, OK)
            for f in offline.files(i):
                for text in (offline.sha1(f).hex(), offline.sha256(f).hex(), offline.url(f),
                             f"{f + 1000} bytes"):
                    self.assertIn(text, shown.stdout)
        self.assertEqual(self.run_it("find", "--index", "x.db", "1").returncode, REFUSED)
        self.assertEqual(self.run_it("show", "--index", "x.db",
                                     f"{offline.update_id(0)}.9").returncode, REFUSED)
        self.assertEqual(self.run_it("show", "--index", "x.db", "KB1").returncode, USAGE)
        self.assertEqual(self.run_it("status", "--index", "y.db").returncode, MISSING)

    def test_every_row(self) -> None:
        """What came out of the cabinets of every kind, to the last letter."""
        self.assertEqual(self.check("good.cab").returncode, OK)
        with contextlib.closing(sqlite3.connect(self.directory / "x.db")) as index:
            titles = dict(index.execute("SELECT revision, title FROM titles"))
            digests = set(index.execute("SELECT sha1, sha256, size FROM files"))
        self.assertEqual(titles, {offline.FIRST_REVISION + i: offline.title(i)
                                  for i in range(UPDATES)})
        self.assertEqual(digests, {(offline.sha1(f), offline.sha256(f), f + 1000)
                                   for i in range(UPDATES) for f in offline.files(i)})

    def test_refused(self) -> None:
        good = (self.directory / "good.cab").read_bytes()
        self.refused("plain.cab", "there is no signature")
        (self.directory / "cut.cab").write_bytes(good[:-1000])
        self.refused("cut.cab", "cut off")
        broken = bytearray(good)
        broken[len(good) // 2] ^= 1
        (self.directory / "broken.cab").write_bytes(broken)
        self.refused("broken.cab", "signature of")
        (self.directory / "page.cab").write_bytes(b"<html>Blocked</html>")
        self.refused("page.cab", "no cabinet")

    def test_unstamped(self) -> None:
        self.signer.sign("plain.cab", "unstamped.cab", stamped=None)
        self.refused("unstamped.cab", "no time stamp")

    def test_signed_but_not_a_catalogue(self) -> None:
        with (self.directory / "odd.cab").open("wb") as out:
            offline.write_cabinet(out, [("index.xml", 5)], [b"<a/>\n"], offline.MSZIP)
        self.signer.sign("odd.cab", "odd_signed.cab")
        done = self.check("odd_signed.cab", "none.db")
        self.assertEqual(done.returncode, DATA)
        self.assertIn("no package.xml", done.stderr)
        self.assertFalse((self.directory / "none.db").exists())


if __name__ == "__main__":
    unittest.main()
