"""4 KiB from the cache, 64 kept connections: microseconds of CPU a request."""
from dataclasses import dataclass

import wrk
from meter import Stopwatch


@dataclass
class Small:
    name: str
    tls: bool
    goal: str
    unit: str = "us/request"
    quick: bool = True
    cold: int = 0
    soap: bool = False

    def measure(self, peer, stage, seconds: int, _repetition: int) -> dict[str, float]:
        watch = Stopwatch(peer.pids())
        url = peer.url if self.tls else peer.plain_url
        found = wrk.run(url + stage.warm_files["small"].path, 64, seconds)
        return {"main": watch.cpu() / found["requests"] * 1e6,
                "per_s": found["requests"] / watch.seconds(),
                "p50_ms": found["p50_ms"], "p99_ms": found["p99_ms"]}


WORK = [Small("small-tls", True, "<= 0.75 nginx; two workers <= 0.65"),
        Small("small-plain", False, "<= 0.55 nginx")]
