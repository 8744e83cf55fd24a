"""Small disks, and disks that turn read-only: tmpfs in a mount namespace of the test's own."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

_INSIDE = "SALLYPORT_OWN_MOUNTS"


def enter() -> None:
    """For __main__: the same test again as root of a mount namespace, where that is allowed.
    Nothing that is mounted there is seen outside, or left behind."""
    flags = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
    if _INSIDE in os.environ or _run("unshare", *flags, "true"):
        return
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", ["unshare", *flags, *sys.orig_argv])


def _run(*words: object) -> int:
    try:
        return subprocess.run([str(w) for w in words], capture_output=True,
                              check=False).returncode
    except FileNotFoundError:
        return 127


class Disk:
    """A tmpfs of a size ("8m"), or a skip that anybody sees."""

    def __init__(self, case: unittest.TestCase, size: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sallyport-disk-"))
        case.addCleanup(self.path.rmdir)
        if _INSIDE not in os.environ or _run("mount", "-t", "tmpfs", "-o",
                                             f"size={size},mode=700", "tmpfs", self.path):
            print("SKIPPED: nothing can be mounted here (neither root nor user namespaces)")
            raise unittest.SkipTest("no mount")
        case.addCleanup(self._unmount)

    def _unmount(self) -> None:
        subprocess.run(["umount", "-R", "-l", self.path], check=True, capture_output=True)

    def lock_elsewhere(self, lock: Path) -> None:
        """The file that a running program holds open for writing lies on another disk: a kernel
        that lost its disk makes it read-only all the same, mount(8) does not."""
        other = tempfile.NamedTemporaryFile(prefix="sallyport-lock-")
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.touch(0o600)
        subprocess.run(["mount", "--bind", other.name, lock], check=True)
        other.close()

    def read_only(self, on: bool) -> None:
        how = f"remount,bind,{'ro' if on else 'rw'}"
        subprocess.run(["mount", "-o", how, self.path], check=True, capture_output=True)

    def fill(self, name: str, left: int) -> Path:
        """Leaves so many bytes."""
        ballast = self.path / name
        with ballast.open("wb", buffering=0) as data:
            free = os.statvfs(self.path)
            data.write(bytes(free.f_bavail * free.f_bsize - left))
        return ballast
