"""Large files take no more memory than small ones: a signed database around a stream of zeros,
whose gigabytes are holes on the disk. SALLYPORT_LARGE_MIB says how many MiB (1024)."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401  finds tests/support
import installers
import signing
from gate import binary

MIB = int(os.environ.get("SALLYPORT_LARGE_MIB", "1024"))
# the largest allocation table and directory that are read, and the program itself
ROOM_KIB = 64 << 10


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class Inspect(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        own = signing.Authority(self.directory)
        own.root("root", "Test Root")
        own.issue("code", "code")
        (self.directory / "pins.txt").write_text(signing.pins(self.directory))

    def verify(self, name: str) -> tuple[int, int, str]:
        """Exit status, the most memory that was in use (KiB), output."""
        with tempfile.TemporaryFile("w+") as out:
            started = subprocess.Popen(
                [binary(), "verify", "--trust", "pins.txt", "--bundle", "root.pem", name],
                cwd=self.directory, stdout=out, stderr=subprocess.STDOUT)
            _, status, used = os.wait4(started.pid, 0)
            started.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            return started.returncode, used.ru_maxrss, out.read()

    def test_memory(self) -> None:
        path = self.directory / "large.msi"
        installers.large(path, MIB << 20, self.directory / "code.pem",
                         self.directory / "code.key")
        self.assertGreaterEqual(path.stat().st_size, MIB << 20)
        status, kib, text = self.verify("large.msi")
        self.assertEqual(status, 0, text)
        self.assertIn("sha256 good trusted", text)
        self.assertLess(kib, ROOM_KIB)
        with path.open("r+b") as file:
            file.seek((MIB << 20) // 2)
            file.write(b"x")
        status, kib, text = self.verify("large.msi")
        self.assertEqual(status, 1, text)
        self.assertIn("is not the one that was signed", text)
        self.assertLess(kib, ROOM_KIB)

    def test_a_format_without_signatures(self) -> None:
        path = self.directory / "large.psf"
        with path.open("wb") as file:
            file.truncate(MIB << 20)
        status, kib, text = self.verify("large.psf")
        self.assertEqual(status, 0, text)
        self.assertLess(kib, ROOM_KIB)


if __name__ == "__main__":
    unittest.main()
