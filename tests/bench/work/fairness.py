"""64 parallel ranges of one asker: by how much the p99 of others' small requests grows.

wrk asks from one address and the others from another."""
import time

import askers
import wrk
from work import Job, Row

RATE, SETTLE_S = 100, 0.3


class Fairness(Job):
    name, quick = "fairness", False
    runs, else_s = 2, 1.3
    rows = [Row("times", "p99 of another beside 64 ranges, times", "3")]

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        ranged, small = stage.warm_files["ranged"], stage.warm_files["small"]
        peer.must_have_ranges(ranged)
        alone = askers.paced(peer.url, small.path, 8, RATE, seconds, ca=stage.pki.ca)["p99_ms"]
        load = wrk.start(peer.url + ranged.path, 64, seconds + 2 * SETTLE_S, size=ranged.size)
        try:
            time.sleep(SETTLE_S)
            beside = askers.paced(peer.url, small.path, 8, RATE, seconds,
                                  ca=stage.pki.ca)["p99_ms"]
        finally:
            moved = wrk.result(load)
        return {"times": beside / alone, "alone_ms": alone, "beside_ms": beside,
                "GB": moved["GB"]}


WORK = [Fairness()]
