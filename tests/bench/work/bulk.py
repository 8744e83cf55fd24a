"""Large files from the cache over TLS: seconds of CPU a GB. Ranges are of a file of 1 GiB, with
--quick of one of 64 MiB."""
import askers
import wrk
from meter import Stopwatch
from work import Job, Missed, Row

RATE = 100  # ranges a second where times are taken: 0.1 GB/s


def cpu_a_gb(peer, stage, connections: int, seconds: float, is_ranged: bool = False) -> dict:
    file = stage.warm_files["ranged" if is_ranged else "big"]
    (peer.must_have_ranges if is_ranged else peer.must_hold)(file)
    watch = Stopwatch(peer.pids())
    found = wrk.run(peer.url + file.path, connections, seconds, size=file.size if is_ranged else 0)
    if not found["GB"]:
        raise Missed
    return {"s_per_GB": watch.cpu() / found["GB"], "MB_per_s": found["GB"] * 1e3 / watch.seconds()}


class Bulk(Job):
    def __init__(self, connections: int, goal: str) -> None:
        self.name, self.connections = f"bulk{connections}-tls", connections
        self.rows = [Row("s_per_GB", f"64 MiB over TLS, {connections} connection"
                         f"{'s' if connections > 1 else ''}, s/GB", goal),
                     Row("p99_ms", f"the same, {connections} at once: the last has it, ms",
                         "1.0 nginx")]
        self.else_s = 0.2 + 0.06 * connections

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        figures = cpu_a_gb(peer, stage, self.connections, seconds)
        found = askers.at_once(peer.url, [stage.warm_files["big"].path], self.connections,
                               stage.pki.ca)
        return figures | {"p50_ms": found["time_p50_s"] * 1e3, "p99_ms": found["all_s"] * 1e3}


class Ranges(Job):
    name, runs = "range32-tls", 2
    rows = [Row("s_per_GB", "ranges of 1 MiB, 32 connections, s/GB", "1.00 h2o"),
            Row("p99_ms", f"the same, {RATE} a second: p99, ms", "1.0 nginx")]

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        file = stage.warm_files["ranged"]
        figures = cpu_a_gb(peer, stage, 32, seconds, is_ranged=True)
        return figures | askers.paced(peer.url, file.path, 32, RATE, seconds, "-g", file.size,
                                      ca=stage.pki.ca)


WORK = [Bulk(1, "1.00 h2o, 0.83 nginx"), Bulk(16, "1.00 h2o"), Ranges()]
