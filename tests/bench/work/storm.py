"""200 askers of one file that is not here yet: CPU a GB, first bytes, the last one.

Their connections are made before they ask, all at once."""
import askers
from meter import Stopwatch

ASKERS = 200


class Storm:
    name, unit, goal, quick, cold, soap = (
        "storm-200", "s/GB", "one transfer; first byte <= 0.1 s; <= 0.64 nginx", False, 1, False)

    def measure(self, peer, stage, _seconds: int, repetition: int) -> dict[str, float] | None:
        if not peer.fetches:
            return None
        file = stage.cold(1, repetition)
        asked = len(stage.upstream.content_requests())
        watch = Stopwatch(peer.pids())
        found = askers.at_once(peer.url, [file.path], ASKERS, stage.pki.ca)
        spent = watch.cpu()
        return {"main": spent / max(1, found["complete"]) / file.size * 1e9,
                "first_s": found["first_p50_s"], "all_s": found["all_s"],
                "complete": found["complete"],
                "transfers": len(stage.upstream.content_requests()) - asked}


WORK = [Storm()]
