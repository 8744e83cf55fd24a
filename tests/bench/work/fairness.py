"""64 parallel ranges of one asker: by how much the p99 of others' small requests grows.

wrk asks from one address and the others from another. It keeps a processor busy, and so do most
servers; who asks for something small then waits for the kernel's turns, of which no server knows.
So it is done three times. As it comes. With wrk last at the processors (nice 19): it would have some
of its own, in another machine, and must not take them from the server and who asks, who are equals.
And in real time, each before the next: those who ask, the server, wrk; what is left then is the
server's own. GB: what wrk got meanwhile, to see that it still pulls."""
import os
import time

import askers
import wrk
from work import Cannot, Job, Row

RATE, SETTLE_S = 400, 0.3
REAL_TIME = (30, 20, 10)  # priorities: who asks, the server, wrk
LAST = 19


def threads(pid: int) -> list[int]:
    try:
        return [int(t) for t in os.listdir(f"/proc/{pid}/task")]
    except FileNotFoundError:  # it is gone, as nginx's cache loader is soon
        return []


def put(pids: list[int], priority: int) -> None:
    """All their threads before everything of lower priority; 0: as everybody else."""
    policy = os.SCHED_FIFO if priority else os.SCHED_OTHER
    for thread in [t for pid in pids for t in threads(pid)]:
        try:
            os.sched_setscheduler(thread, policy, os.sched_param(priority))
        except ProcessLookupError:
            continue
        except PermissionError:
            raise Cannot("real time is not permitted here") from None


def step_back(pid: int) -> None:
    for thread in threads(pid):
        os.setpriority(os.PRIO_PROCESS, thread, LAST)


class Fairness(Job):
    name, quick = "fairness", False
    runs, else_s = 6, 3.9
    rows = [Row("times", "p99 of another beside 64 ranges, times", "3"),
            Row("last_times", "the same, who pulls the ranges is last at the processors, times", "3"),
            Row("own_times", "the same, the server before its load, times", "3")]

    def p99(self, peer, stage, seconds: float, priority: int) -> float:
        load = askers.start(peer.url, [stage.warm_files["small"].path], "-c", 8, "-r", RATE, "-s",
                            seconds, ca=stage.pki.ca)
        put([load.pid], priority)
        return askers.result(load)["time_p99_s"] * 1e3

    def pair(self, peer, stage, seconds: float, priorities: tuple[int, int, int] = (0, 0, 0),
             pulls_last: bool = False) -> dict:
        """Alone, and beside the ranges."""
        asking, serving, pulling = priorities
        ranged = stage.warm_files["ranged"]
        put(peer.pids(), serving)
        try:
            alone = self.p99(peer, stage, seconds, asking)
            load = wrk.start(peer.url + ranged.path, 64, seconds + 2 * SETTLE_S, size=ranged.size)
            try:
                time.sleep(SETTLE_S)
                if pulls_last:
                    step_back(load.pid)
                put([load.pid], pulling)
                beside = self.p99(peer, stage, seconds, asking)
            finally:
                moved = wrk.result(load)
        finally:
            put(peer.pids(), 0)
        return {"times": beside / alone, "alone_ms": alone, "beside_ms": beside, "GB": moved["GB"]}

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        peer.must_have_ranges(stage.warm_files["ranged"])
        found = self.pair(peer, stage, seconds)
        last = self.pair(peer, stage, seconds, pulls_last=True)
        found |= {f"last_{name}": figure for name, figure in last.items()}
        try:
            own = self.pair(peer, stage, seconds, REAL_TIME)
        except Cannot:
            return found  # its row stays empty
        return found | {f"own_{name}": figure for name, figure in own.items()}


WORK = [Fairness()]
