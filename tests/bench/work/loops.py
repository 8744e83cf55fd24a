"""Two workers against one: CPU a request, and what they do a second where the load has room.

With two processors the load stands where a second worker would: both slow down, and what is
measured is the scheduler. So each thread of the server may use a fifth or a tenth of a processor
and no more, which takes the load off the limit; then a second worker should do as much again.
Needs the kernel's cpu controller, version 1, and root; without it there is CPU alone."""
import os
import time
from pathlib import Path

import wrk
from work import Cannot, Job, Row
from work.small import cpu_each


def controller() -> Path | None:
    """The group that this process is in, where it may make others below."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    own = next((path for _, what, path in lines if "cpu" in what.split(",")), "/")
    group = Path("/sys/fs/cgroup/cpu") / own.lstrip("/")
    return group if os.access(group / "cpu.cfs_quota_us", os.W_OK) else None


CONTROLLER = controller()
PERIOD_US = 10_000


class Held:
    """While it lasts, each thread of some processes has this share of a processor at most."""

    def __init__(self, pids: list[int], share: float) -> None:
        self.threads = [t.name for pid in pids for t in Path(f"/proc/{pid}/task").iterdir()]
        self.quota_us = int(PERIOD_US * share)

    def _group(self, thread: str) -> Path:
        return CONTROLLER / f"bench-{thread}"

    def __enter__(self) -> None:
        for thread in self.threads:
            group = self._group(thread)
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(self.quota_us))
            (group / "tasks").write_text(thread)

    def __exit__(self, *_: object) -> None:
        for thread in self.threads:
            (CONTROLLER / "tasks").write_text(thread)
            self._remove(self._group(thread))

    @staticmethod
    def _remove(group: Path) -> None:
        """A thread that is held just now leaves its group a moment later."""
        for _ in range(100):
            try:
                return group.rmdir()
            except OSError:
                time.sleep(PERIOD_US / 1e6)
        raise RuntimeError(f"{group} does not get empty")


def both(peer) -> tuple:
    if not peer.twin:
        raise Cannot("not measured with two workers")
    return peer, peer.twin


class Loops(Job):
    """Small answers: what two workers cost each other, and whether the second does as much again."""

    quick = False
    runs, else_s = 4, 0.2

    def __init__(self, name: str, text: str, is_tls: bool, goal: str) -> None:
        self.name, self.is_tls = name, is_tls
        self.rows = [Row("us", f"4 KiB over {text}, two workers, us", goal),
                     Row("cpu_ratio", "the same: CPU of two workers over one", "1.0"),
                     Row("rate_ratio", "the same: requests a second, two over one", "1.8")]

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        path = stage.warm_files["small"].path
        urls = [(p, (p.url if self.is_tls else p.plain_url) + path) for p in both(peer)]
        one, two = (cpu_each(p, url, seconds)[0] for p, url in urls)
        figures = {"us": two, "one_us": one, "cpu_ratio": two / one}
        if CONTROLLER:
            slow, fast = (self._held(p, url, seconds) for p, url in urls)
            figures |= {"rate_ratio": fast / slow, "one_per_s": slow, "two_per_s": fast}
        return figures

    def _held(self, peer, url: str, seconds: float) -> float:
        with Held(peer.pids(), 0.2):
            return cpu_each(peer, url, seconds)[1]


class Doubled(Job):
    """The other cached work: only whether the second worker does as much again."""

    quick = False
    runs, else_s = 2, 0.2

    def __init__(self, name: str, text: str, connections: int, share: float, file: str = "big",
                 **options) -> None:
        self.name, self.connections, self.share = f"two-loops-{name}", connections, share
        self.file, self.options = file, options
        self.rows = [Row("rate_ratio", f"{text}: done a second, two workers over one", "1.8")]

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        file, found = stage.warm_files[self.file], []
        for one in both(peer):
            if not CONTROLLER:
                raise Cannot("a thread's processor cannot be divided here")
            one.must_hold(file)
            with Held(one.pids(), self.share):
                run = wrk.run(one.url + file.path, self.connections, seconds, **self.options)
            found.append(run["requests"] if self.file == "small" else run["GB"])
        return {"rate_ratio": found[1] / found[0]}


WORK = [Loops("two-loops-tls", "TLS", True, "0.65 nginx"),
        Loops("two-loops-plain", "plain HTTP", False, ""),
        Doubled("fresh", "full handshakes, 16 connections", 16, 0.1, "small", fresh=True),
        Doubled("bulk16", "64 MiB over TLS, 16 connections", 16, 0.1),
        Doubled("ranges", "ranges of 1 MiB, 32 connections", 32, 0.1, size=64 << 20)]
