"""Large files from the cache over TLS: seconds of CPU a GB."""
from dataclasses import dataclass

import wrk
from meter import Stopwatch


@dataclass
class Bulk:
    name: str
    connections: int
    goal: str
    ranges: bool = False
    quick: bool = True
    unit: str = "s/GB"
    cold: int = 0
    soap: bool = False

    def measure(self, peer, stage, seconds: int, _repetition: int) -> dict[str, float] | None:
        if not peer.caches_large:
            return None
        file = stage.warm_files["ranged" if self.ranges else "big"]
        watch = Stopwatch(peer.pids())
        found = wrk.run(peer.url + file.path, self.connections, seconds,
                        size=file.size if self.ranges else 0)
        return {"main": watch.cpu() / found["GB"], "MB_per_s": found["GB"] * 1e3 / watch.seconds(),
                "p50_ms": found["p50_ms"], "p99_ms": found["p99_ms"]}


WORK = [Bulk("bulk1-tls", 1, "<= 1.00 h2o, <= 0.83 nginx"),
        Bulk("bulk16-tls", 16, "<= 1.00 h2o"),
        Bulk("range32-tls", 32, "<= 1.00 h2o", ranges=True)]
