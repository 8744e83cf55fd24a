"""sallyport verify: signatures of files signed by a PKI of this test, as text and as JSON."""
import hashlib
import json
import pty
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401  finds tests/support
import signing
from gate import binary

OK, REFUSED, UNKNOWN, USAGE, CONFIG = 0, 1, 2, 64, 78


@unittest.skipUnless(signing.can_sign(), "nothing signs here")
class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        signing.write_all(cls.directory)

    def verify(self, *words: str, trust: bool = True) -> subprocess.CompletedProcess[str]:
        trusting = ("--trust", "pins.txt", "--bundle", "bundle.pem") if trust else ()
        return subprocess.run([binary(), "verify", *trusting, *words], cwd=self.directory,
                              capture_output=True, text=True, timeout=60)

    def test_signed(self) -> None:
        done = self.verify("good.exe", "good.cab")
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertTrue(line.startswith("passed  good."), line)
            self.assertIn("CN=Test code", line)
            self.assertIn("2025-06-15T15:06:40Z", line)

    def test_refused_for_its_own_reason(self) -> None:
        for name, why in (("plain.exe", "there is no signature"), ("tls.exe", "key usage"),
                          ("foreign.exe", "missing issuer"), ("sha1.cab", "SHA-256 or better"),
                          ("expired.exe", "certificate has expired")):
            done = self.verify(name)
            self.assertEqual(done.returncode, REFUSED, name)
            self.assertIn(why, done.stdout)

    def test_the_worst_counts(self) -> None:
        self.assertEqual(self.verify("good.exe", "plain.exe", "good.cab").returncode, REFUSED)
        self.assertEqual(self.verify("good.exe", "missing.exe").returncode, UNKNOWN)

    def test_the_time_of_judging(self) -> None:
        self.assertEqual(self.verify("--at", "2020-06-01T00:00:00Z", "expired.exe").returncode, OK)
        self.assertEqual(self.verify("--at", "2021-06-01T00:00:00Z", "expired.exe").returncode,
                         REFUSED)
        self.assertEqual(self.verify("--at", "yesterday", "good.exe").returncode, USAGE)

    def test_no_signature_in_the_format(self) -> None:
        done = self.verify("pins.txt")
        self.assertEqual(done.returncode, OK, done.stdout)
        self.assertTrue(done.stdout.startswith("unproven"), done.stdout)
        right = self.verify("--digest", "sha1:" + "0" * 40, "pins.txt")
        self.assertEqual(right.returncode, REFUSED)

    def test_without_trust_the_shipped_keys_count(self) -> None:
        done = self.verify("good.exe", trust=False)
        self.assertEqual(done.returncode, REFUSED)
        self.assertRegex(done.stdout, "^refused  good.exe .* file-signed: .*missing issuer")

    def test_only_digests_are_demanded_where_only_they_are_named(self) -> None:
        digest = hashlib.sha256((self.directory / "tls.exe").read_bytes()).hexdigest()
        done = self.verify("--digest", f"sha256:{digest}", "tls.exe", trust=False)
        self.assertEqual(done.returncode, OK, done.stdout)
        self.assertIn("missing issuer", done.stdout)
        done = self.verify("--digest", f"sha256:{digest}", "good.exe", trust=False)
        self.assertEqual(done.returncode, REFUSED)

    def test_quiet(self) -> None:
        done = self.verify("--quiet", "good.exe", "plain.exe")
        self.assertEqual(done.returncode, REFUSED)
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout)
        self.assertTrue(done.stdout.startswith("refused  plain.exe"), done.stdout)

    def large(self) -> str:
        with (self.directory / "large.txt").open("wb") as file:
            file.truncate(40 << 20)
        return "large.txt"

    def test_progress_without_a_terminal_is_plain(self) -> None:
        done = self.verify(self.large())
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertRegex(done.stderr, r"(?m)^10 % read$")
        self.assertNotIn("\r", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        self.assertEqual(self.verify("--quiet", self.large()).stderr, "")
        self.assertEqual(self.verify("good.exe").stderr, "")

    def test_progress_on_a_terminal_is_a_bar(self) -> None:
        ours, theirs = pty.openpty()
        with open(ours, "rb", buffering=0) as screen:
            with open(theirs, "wb", buffering=0) as terminal:
                done = subprocess.run([binary(), "verify", self.large()], cwd=self.directory,
                                      stdout=subprocess.PIPE, stderr=terminal, timeout=60)
                self.assertEqual(done.returncode, OK)
                shown = screen.read(1 << 16)
        self.assertIn(b"\r[####", shown)
        self.assertTrue(done.stdout.startswith(b"unproven  large.txt"), done.stdout)

    def test_json(self) -> None:
        done = self.verify("--json", "dual.exe", "plain.cab")
        self.assertEqual(done.returncode, REFUSED)
        dual, plain = (json.loads(line) for line in done.stdout.splitlines())
        self.assertEqual(dual["verdict.ruling"], ["passed"])
        self.assertEqual(dual["sign.count"], [2])
        self.assertEqual(dual["sign.digest-algorithm"], ["sha1", "sha256"])
        self.assertEqual(dual["sign.root-trusted"], [True])
        self.assertEqual(plain["verdict.rule"], ["file-signed"])

    def test_installer_databases(self) -> None:
        done = self.verify("good.msi", "deep-mixed.msi")
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        self.assertEqual(self.verify("plain.msi").returncode, REFUSED)

    def test_catalogues(self) -> None:
        done = self.verify("--catalog", "good.cat", "listed.inf", "plain.exe")
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        for line in done.stdout.splitlines():
            self.assertTrue(line.startswith("passed"), line)
            self.assertIn("good.cat lists it by sha1 sha256: sha256 good trusted", line)
        done = self.verify("--catalog", "good.cat", "stranger.inf")
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn("good.cat does not list it", done.stdout)
        several = self.verify("--catalog", "foreign.cat", "--catalog", "bare.cat", "listed.inf")
        self.assertEqual(several.returncode, OK, several.stdout)
        self.assertEqual(self.verify("--catalog", "expired.cat", "listed.inf").returncode, REFUSED)
        self.assertEqual(self.verify("--at", "2020-06-01T00:00:00Z", "--catalog", "expired.cat",
                                     "listed.inf").returncode, OK)

    def test_what_is_no_catalogue(self) -> None:
        for name in ("unsigned.cat", "roots.cat", "good.exe", "missing.cat"):
            done = self.verify("--catalog", name, "listed.inf")
            self.assertNotIn(done.returncode, (OK, REFUSED), name)
            self.assertIn(name, done.stderr)
        self.assertEqual(self.verify("listed.inf", "--catalog").returncode, USAGE)

    def test_wrong_pins(self) -> None:
        (self.directory / "wrong.txt").write_text("sha256//short\n")
        done = self.verify("--trust", "wrong.txt", "good.exe", trust=False)
        self.assertEqual(done.returncode, CONFIG, done.stderr)
        self.assertIn("wrong.txt: line 1", done.stderr)


if __name__ == "__main__":
    unittest.main()
