"""What a server used: CPU of all its threads, memory; and what else the machine is doing."""
import os
import time
from pathlib import Path

# Who gives memory back looks every few seconds.
SETTLED_S, SETTLING_S, SETTLED_KIB = 3.5, 12, 256


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def cpu_seconds(pid: int) -> float | None:
    """To the nanosecond, of all its threads; None: it is gone, as nginx's cache loader is soon."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return None
    return total / 1e9


def pss_kib(pids: list[int], *kinds: str) -> int:
    """All that they have resident; or of these kinds: Anon, Shmem, File. What is shared counts in
    part, so that pages of files change with whoever else runs."""
    wanted = tuple(f"Pss_{kind}:" for kind in kinds) or ("Pss:",)
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(wanted))
    return total


def settled(look, most_s: float = SETTLING_S) -> float:
    """What look says once it stays the same; or after so long."""
    now = since = time.monotonic()
    ends, last = now + most_s, look()
    while now - since < SETTLED_S and now < ends:
        time.sleep(0.1)
        seen, now = look(), time.monotonic()
        if abs(seen - last) > SETTLED_KIB:
            last, since = seen, now
    return look()


def reset_peaks(pids: list[int]) -> int:
    """From now on peak_kib counts anew; returns what is resident now."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_kib(pids)


def peak_kib(pids: list[int]) -> int:
    """The sum over processes of the most that each had resident, since reset_peaks. What two of
    them share counts twice."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return total


def machine_busy() -> float:
    """Seconds of CPU that all processes together have used."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    idle = int(fields[3]) + int(fields[4])
    return (sum(map(int, fields[:8])) - idle) / os.sysconf("SC_CLK_TCK")


class Stopwatch:
    """CPU of a server, and time, between its making and now."""

    def __init__(self, pids: list[int]) -> None:
        self.began = time.monotonic()
        self.before = {pid: cpu_seconds(pid) for pid in pids}

    def cpu(self) -> float:
        both = ((cpu_seconds(pid), before) for pid, before in self.before.items())
        return sum(now - before for now, before in both if now is not None and before is not None)

    def seconds(self) -> float:
        return time.monotonic() - self.began
