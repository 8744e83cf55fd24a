"""What a server used: CPU of all its threads, memory; and what else the machine is doing."""
import os
import time
from pathlib import Path


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def cpu_seconds(pids: list[int]) -> float:
    """To the nanosecond, of threads that still live: none of the servers ends any."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def pss_kib(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def machine_busy() -> float:
    """Seconds of CPU that all processes together have used."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    idle = int(fields[3]) + int(fields[4])
    return (sum(map(int, fields[:8])) - idle) / os.sysconf("SC_CLK_TCK")


class Stopwatch:
    """CPU of a server, and time, between its making and now."""

    def __init__(self, pids: list[int]) -> None:
        self.pids, self.began, self.before = pids, time.monotonic(), cpu_seconds(pids)

    def cpu(self) -> float:
        return cpu_seconds(self.pids) - self.before

    def seconds(self) -> float:
        return time.monotonic() - self.began
