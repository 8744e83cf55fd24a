"""Connections over TLS that asked once and are kept: KiB each."""
import resource
import time

import askers
from meter import pss_kib
from work import Cannot, Job, Row

SPARE = 64      # descriptors that a server has besides
SETTLE_S = 3.5  # until a server has given back what it had for work before


def own_kib(peer) -> int:
    """Without pages of files, which others have as well, now more of them and now fewer."""
    return pss_kib(peer.pids(), "Anon", "Shmem")


class Idle(Job):
    def __init__(self, count: int, repetitions: int, is_quick: bool) -> None:
        self.name, self.count = f"idle-{count}", count
        self.repetitions, self.quick = repetitions, is_quick
        self.runs, self.else_s = 0, 1.2 + count / 1800
        self.rows = [Row("KiB", f"{count:,} idle TLS connections, KiB each", "14.4")]
        if not is_quick:
            self.rows.append(Row("MiB", "the same, the whole server, MiB", "150"))

    def measure(self, peer, stage, _seconds: float, _repetition: int) -> dict[str, float]:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if self.count * peer.descriptors + SPARE > hard:
            raise Cannot(f"takes {peer.descriptors} descriptors a connection, of {hard}")
        if peer.rest_kib is None:
            time.sleep(SETTLE_S)
            peer.rest_kib = own_kib(peer)  # once: who keeps what he had would seem to need less
        with askers.kept(peer.url, stage.warm_files["small"].path, self.count,
                         stage.pki.ca) as held:
            time.sleep(0.5)
            grown, whole = own_kib(peer) - peer.rest_kib, pss_kib(peer.pids())
        time.sleep(0.5)
        if held < self.count:
            raise Cannot(f"keeps {held} of {self.count}")
        return {"KiB": grown / held, "MiB": whole / 1024}


WORK = [Idle(1000, 3, True), Idle(10000, 1, False)]
