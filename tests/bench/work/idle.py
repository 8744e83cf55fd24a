"""Connections over TLS that asked once and are kept: KiB each."""
import resource
import time

import askers
from meter import pss_kib
from work import Cannot, Job, Row

SPARE = 64  # descriptors that a server has besides


class Idle(Job):
    def __init__(self, count: int, repetitions: int, is_quick: bool) -> None:
        self.name, self.count = f"idle-{count}", count
        self.repetitions, self.quick = repetitions, is_quick
        self.rows = [Row("KiB", f"{count:,} idle TLS connections, KiB each", "14.4")]
        if not is_quick:
            self.rows.append(Row("MiB", "the same, the whole server, MiB", "150"))

    def measure(self, peer, stage, _seconds: float, _repetition: int) -> dict[str, float]:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if self.count * peer.descriptors + SPARE > hard:
            raise Cannot(f"takes {peer.descriptors} descriptors a connection, of {hard}")
        if peer.rest_kib is None:
            peer.rest_kib = pss_kib(peer.pids())  # nobody gives all of it back
        with askers.kept(peer.url, stage.warm_files["small"].path, self.count,
                         stage.pki.ca) as held:
            time.sleep(0.5)
            grown = pss_kib(peer.pids()) - peer.rest_kib
        time.sleep(0.5)
        if held < self.count:
            raise Cannot(f"keeps {held} of {self.count}")
        return {"KiB": grown / held, "MiB": (grown + peer.rest_kib) / 1024}


WORK = [Idle(1000, 3, True), Idle(10000, 1, False)]
