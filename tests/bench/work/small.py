"""4 KiB from the cache, 64 kept connections: microseconds of CPU a request as fast as it goes, and
how long one takes at a rate that all of them can bear."""
import askers
import wrk
from meter import Stopwatch
from work import Job, Row

CONNECTIONS = 64


def cpu_each(peer, url: str, seconds: float) -> tuple[float, float]:
    """Microseconds of the server's CPU a request, and requests a second."""
    watch = Stopwatch(peer.pids())
    found = wrk.run(url, CONNECTIONS, seconds)
    return watch.cpu() / found["requests"] * 1e6, found["requests"] / watch.seconds()


class Small(Job):
    runs = 2

    def __init__(self, name: str, text: str, is_tls: bool, rate: int, goal: str) -> None:
        self.name, self.is_tls, self.rate = name, is_tls, rate
        self.rows = [Row("us", f"4 KiB over {text}, 64 connections, us", goal),
                     Row("p99_ms", f"the same, {rate:,} a second: p99, ms", "1.0 nginx")]

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        url, path = peer.url if self.is_tls else peer.plain_url, stage.warm_files["small"].path
        each, rate = cpu_each(peer, url + path, seconds)
        return {"us": each, "per_s": rate,
                **askers.paced(url, path, CONNECTIONS, self.rate, seconds, ca=stage.pki.ca)}


WORK = [Small("small-tls", "TLS", True, 4000, "0.75 nginx"),
        Small("small-plain", "plain HTTP", False, 6000, "0.55 nginx")]
