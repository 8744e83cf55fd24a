"""200 askers of one file that is not here yet: CPU a GB, first bytes, the last one.

curl asks, from twenty addresses: a server may have a limit an address."""
import statistics
import subprocess
import time

from meter import Stopwatch

ASKERS = 200
CONFIG = """url = "{url}"
output = /dev/null
interface = 127.0.{net}.{host}
cacert = "{ca}"
write-out = "%{{http_code}} %{{time_starttransfer}} %{{size_download}}\\n"
"""


class Storm:
    name, unit, goal, quick, cold, soap = (
        "storm-200", "s/GB", "one transfer; first byte <= 0.1 s; <= 0.64 nginx", False, 1, False)

    def measure(self, peer, stage, _seconds: int, repetition: int) -> dict[str, float] | None:
        if not peer.fetches:
            return None
        file = stage.cold(1, repetition)
        config = "next\n".join(
            CONFIG.format(url=peer.url + file.path, net=i % 20 + 1, host=i // 20 + 1,
                          ca=stage.pki.ca) for i in range(ASKERS))
        asked = len(stage.upstream.content_requests())
        watch = Stopwatch(peer.pids())
        began = time.monotonic()
        done = subprocess.run(
            ["curl", "--silent", "--no-progress-meter", "--parallel", "--parallel-immediate",
             "--parallel-max", str(ASKERS), "--config", "-"],
            input=config, text=True, capture_output=True, check=False)
        total, spent = time.monotonic() - began, watch.cpu()
        rows = [line.split() for line in done.stdout.splitlines()]
        good = [float(first) for code, first, size in rows
                if code == "200" and int(size) == file.size]
        return {"main": spent / max(1, len(good)) / file.size * 1e9,
                "first_s": statistics.median(good) if good else float("nan"), "all_s": total,
                "complete": len(good),
                "transfers": len(stage.upstream.content_requests()) - asked}


WORK = [Storm()]
