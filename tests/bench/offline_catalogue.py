"""An offline catalogue of real size, judged and indexed: offline_catalogue.py [UPDATES].

200,000 updates make a cabinet of some 320 MB, 600,000 one of a GB. Prints sizes, seconds and the
peak of memory, and ends with 1 where that is over 64 MiB. Needs osslsigncode and, in the
temporary directory, three times the size of the cabinet.
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import offline
import signing

LIMIT_KIB = 64 * 1024


def index(directory: Path) -> tuple[float, int]:
    """Seconds, and the peak of resident memory in KiB."""
    began = time.monotonic()
    child = subprocess.Popen(
        [os.environ.get("SALLYPORT", "sallyport"), "catalog", "check", "--trust", "pins.txt",
         "--bundle", "bundle.pem", "--index", "index.db", "good.cab"], cwd=directory)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(child.returncode)
    return time.monotonic() - began, usage.ru_maxrss


def make(directory: Path, updates: int) -> None:
    signer = signing.Signer(directory)
    # in a process of its own: what it takes would count as the peak of its sister
    subprocess.run([sys.executable, offline.__file__, directory / "plain.cab", str(updates)],
                   check=True)
    signing.run("osslsigncode", "sign", "-certs", directory / "code.pem",
                "-key", directory / "code.key", "-h", "sha256", *signer.own.stamp(),
                "-in", directory / "plain.cab", "-out", directory / "good.cab", seconds=600)
    (directory / "plain.cab").unlink()


def main() -> int:
    updates = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory(prefix="sallyport-catalogue-") as name:
        directory = Path(name)
        make(directory, updates)
        seconds, peak = index(directory)
        cabinet, made = (directory / n for n in ("good.cab", "index.db"))
        print(f"cabinet {cabinet.stat().st_size >> 20} MiB, index {made.stat().st_size >> 20} MiB, "
              f"{seconds:.1f} s, peak {peak / 1024:.1f} MiB")
        return 1 if peak > LIMIT_KIB else 0


if __name__ == "__main__":
    sys.exit(main())
