"""The demonstration of scripts/quickstart plays to its end, and says so when it cannot."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

import harness  # noqa: F401

DEMO = Path(__file__).resolve().parents[1] / "support" / "demo.py"


def play(program: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, DEMO, program], capture_output=True, text=True,
                          timeout=300, check=False)


class Quickstart(unittest.TestCase):
    @unittest.skipUnless(os.environ.get("SALLYPORT"), "$SALLYPORT does not name a program")
    def test_every_step_holds(self) -> None:
        done = play(os.environ["SALLYPORT"])
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        lines = done.stdout.splitlines()
        self.assertEqual([x[0] for x in lines if x[:1].isdigit()], list("12345678"))
        self.assertLessEqual(len(lines), 24, "more than a screenful")
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_a_program_that_does_not_start(self) -> None:
        done = play("/bin/false")
        self.assertEqual(done.returncode, 1)
        self.assertIn("sallyport did not start", done.stderr)
        log = Path(done.stderr.split()[-1])
        self.assertTrue(log.exists(), done.stderr)
        for path in sorted(log.parent.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        log.parent.rmdir()


if __name__ == "__main__":
    unittest.main()
