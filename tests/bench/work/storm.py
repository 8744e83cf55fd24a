"""200 askers of one file that is not here yet: CPU a GB, first bytes, the last one.

Their connections are made before they ask, all at once."""
import askers
from meter import Stopwatch
from work import Job, Row

ASKERS = 200


class Storm(Job):
    name, quick, cold = "storm-200", False, 1
    runs, else_s = 0, 14
    rows = [Row("s_per_GB", "200 askers of one cold 64 MiB, s/GB", "0.64 nginx, trafficserver"),
            Row("first_s", "the same: first byte, median, s", "0.1 s"),
            Row("all_s", "the same: all have it, s", "0.82 nginx, trafficserver"),
            Row("transfers", "the same: transfers from upstream", "1")]

    def measure(self, peer, stage, _seconds: float, repetition: int) -> dict[str, float]:
        peer.must_fetch()
        file = stage.cold(self, repetition)
        asked = len(stage.upstream.content_requests())
        watch = Stopwatch(peer.pids())
        found = askers.at_once(peer.url, [file.path], ASKERS, stage.pki.ca)
        spent = watch.cpu()
        transfers = len(stage.upstream.content_requests()) - asked
        peer.prove(file)
        return {"s_per_GB": spent / found["complete"] / file.size * 1e9,
                "first_s": found["first_p50_s"], "all_s": found["all_s"],
                "complete": found["complete"], "transfers": transfers}


WORK = [Storm()]
