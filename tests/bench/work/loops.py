"""Two workers against one: CPU a request, and requests a second where the load has room.

With two processors the load stands where a second worker would: both slow down, and what is
measured is the scheduler. So each thread of the server may use a fifth of a processor and no
more, which takes the load off the limit; then a second worker should do as much again. Needs
the kernel's cpu controller, version 1, and root; without it there is CPU alone."""
import os
from pathlib import Path

from work import Cannot, Job, Row
from work.small import cpu_each


def controller() -> Path | None:
    """The group that this process is in, where it may make others below."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    own = next((path for _, what, path in lines if "cpu" in what.split(",")), "/")
    group = Path("/sys/fs/cgroup/cpu") / own.lstrip("/")
    return group if os.access(group / "cpu.cfs_quota_us", os.W_OK) else None


CONTROLLER = controller()
PERIOD_US, QUOTA_US = 10_000, 2_000


class Fifth:
    """While it lasts, each thread of some processes has a fifth of a processor at most."""

    def __init__(self, pids: list[int]) -> None:
        self.threads = [t.name for pid in pids for t in Path(f"/proc/{pid}/task").iterdir()]

    def _group(self, thread: str) -> Path:
        return CONTROLLER / f"bench-{thread}"

    def __enter__(self) -> None:
        for thread in self.threads:
            group = self._group(thread)
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(QUOTA_US))
            (group / "tasks").write_text(thread)

    def __exit__(self, *_: object) -> None:
        for thread in self.threads:
            (CONTROLLER / "tasks").write_text(thread)
            self._group(thread).rmdir()


def rate_of_a_fifth(peer, url: str, seconds: float) -> float:
    with Fifth(peer.pids()):
        return cpu_each(peer, url, seconds)[1]


class Loops(Job):
    quick = False
    runs, else_s = 4, 0.2

    def __init__(self, name: str, text: str, is_tls: bool, goal: str) -> None:
        self.name, self.is_tls = name, is_tls
        self.rows = [Row("us", f"4 KiB over {text}, two workers, us", goal),
                     Row("cpu_ratio", "the same: CPU of two workers over one", "1.0"),
                     Row("rate_ratio", "the same: requests a second, two over one", "1.8")]

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        if not peer.twin:
            raise Cannot("not measured with two workers")
        path = stage.warm_files["small"].path
        both = [(p, (p.url if self.is_tls else p.plain_url) + path) for p in (peer, peer.twin)]
        one, two = (cpu_each(p, url, seconds)[0] for p, url in both)
        figures = {"us": two, "one_us": one, "cpu_ratio": two / one}
        if CONTROLLER:
            slow, fast = (rate_of_a_fifth(p, url, seconds) for p, url in both)
            figures |= {"rate_ratio": fast / slow, "one_per_s": slow, "two_per_s": fast}
        return figures


WORK = [Loops("two-loops-tls", "TLS", True, "0.65 nginx"),
        Loops("two-loops-plain", "plain HTTP", False, "")]
