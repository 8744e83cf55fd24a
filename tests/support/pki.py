"""A PKI for one test program, made by scripts/make-pki in a temporary directory."""
import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCE = Path(os.environ.get("SALLYPORT_SOURCE") or Path(__file__).resolve().parents[2])


class Pki:
    """Paths of DIR as make-pki describes it; pins by name, hostile ones as hostile/NAME."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ca = str(directory / "ca.pem")
        self.pins = _pins(directory / "pins.txt")
        self.hostile_pins = _pins(directory / "hostile" / "pins.txt")

    def pair(self, name: str) -> tuple[str, str]:
        return str(self.directory / f"{name}.pem"), str(self.directory / f"{name}.key")

    def file(self, name: str) -> str:
        return str(self.directory / name)


def _pins(path: Path) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in path.read_text().splitlines())


@cache
def make() -> Pki:
    """One a process; removed at its end."""
    work = Path(tempfile.mkdtemp(prefix="sallyport-pki-"))
    atexit.register(shutil.rmtree, work, ignore_errors=True)
    target = work / "pki"
    subprocess.run([SOURCE / "scripts" / "make-pki", "--hostile", target, "gate.localhost"],
                   check=True, timeout=120)
    return Pki(target)
