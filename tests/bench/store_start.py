"""A start with very many stored files: store_start.py [--cold] [FILES [DIRECTORY]].

Makes a store of so many files (a million unless told), empty ones, and starts the daemon on it.
Prints the seconds until it is ready, what it takes of memory for each file, and how long the survey
behind it lasted; ends with 1 where that is over the goal. A DIRECTORY is kept and used again.
--cold, for root: the kernel forgets all names first, which slows down whoever works beside.
"""
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from gate import Gate
from pki import make

READY_S, BYTES_A_FILE = 2.0, 200


def fill(objects: Path, count: int) -> None:
    folders = []
    for first in range(256):
        folder = objects / f"{first:02x}"
        folder.mkdir(mode=0o700, parents=True)
        folders.append(os.open(folder, os.O_RDONLY))
    for number in range(count):
        name = hashlib.sha256(b"%d" % number).hexdigest()
        for tail, mode in (("", 0o400), (".tree", 0o600)):
            os.close(os.open(name + tail, os.O_CREAT | os.O_WRONLY, mode,
                             dir_fd=folders[int(name[:2], 16)]))
    for folder in folders:
        os.close(folder)


def forget_names() -> None:
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("2")


def start(cache: Path) -> tuple[float, int, float]:
    """Seconds until it is ready, bytes of memory then, seconds until all sizes are known."""
    gate = Gate("https://localhost:9", make(), cache_dir=cache, scrub_rate=1)
    try:
        began = time.monotonic()
        gate.start()
        ready, memory = time.monotonic() - began, gate.memory()
        while gate.status()["cache"].get("unsurveyed"):
            time.sleep(0.02)
        return ready, memory, time.monotonic() - began
    finally:
        gate.close()


def measure(cache: Path, empty: int, count: int) -> bool:
    """True: within the goals."""
    ready, memory, known = start(cache)
    each = (memory - empty) / count
    print(f"ready in {ready:.2f} s, all known after {known:.2f} s, {each:.0f} bytes a file",
          flush=True)
    return ready < READY_S and each <= BYTES_A_FILE


def main() -> int:
    words = [w for w in sys.argv[1:] if w != "--cold"]
    count = int(words[0]) if words else 1_000_000
    with tempfile.TemporaryDirectory(prefix="sallyport-store-") as own:
        cache = Path(words[1] if len(words) > 1 else own) / "cache"
        if not cache.exists():
            fill(cache / "objects", count)
        _, empty, _ = start(Path(own) / "none")
        if "--cold" in sys.argv:
            forget_names()
            print("cold: ", end="")
            measure(cache, empty, count)
        return 0 if all([measure(cache, empty, count) for _ in range(3)]) else 1


if __name__ == "__main__":
    sys.exit(main())
