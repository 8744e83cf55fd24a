"""Connections over TLS that asked once and are kept: KiB each, and the whole server.

Each is taken on a server that has done nothing yet but become warm, from where its memory has
settled: who keeps what he had for other work would seem to need less. The whole is taken once more
after all other work, which is when that shows."""
import resource
import time

import askers
from meter import pss_kib, settled
from work import Cannot, Job, Row

SPARE = 64  # descriptors that a server has besides
MOST = 10000


def own_kib(peer) -> int:
    """Without pages of files, which others have as well, now more of them and now fewer."""
    return pss_kib(peer.pids(), "Anon", "Shmem")


def beside(peer, stage, count: int) -> tuple[float, float]:
    """While so many are kept: what it has of its own, and all it has. KiB."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if count * peer.descriptors + SPARE > hard:
        raise Cannot(f"takes {peer.descriptors} descriptors a connection, of {hard}")
    with askers.kept(peer.url, stage.warm_files["small"].path, count, stage.pki.ca) as held:
        time.sleep(0.5)
        own, whole = own_kib(peer), pss_kib(peer.pids())
    time.sleep(0.5)
    if held < count:
        raise Cannot(f"keeps {held} of {count}")
    return own, whole


class Idle(Job):
    repetitions, runs = 1, 0

    def __init__(self, count: int) -> None:
        self.name, self.count, self.quick = f"idle-{count}", count, count < MOST
        self.else_s = 5 + count / 1800
        self.rows = [Row("KiB", f"{count:,} idle TLS connections, KiB each", "14.4")]
        if count == MOST:
            self.rows.append(Row("MiB", "the same, the whole server, MiB", "150"))

    def measure(self, peer, stage, _seconds: float, _repetition: int) -> dict[str, float]:
        if peer.rest_kib is None:
            peer.rest_kib = settled(lambda: own_kib(peer))
        own, whole = beside(peer, stage, self.count)
        return {"KiB": (own - peer.rest_kib) / self.count, "MiB": whole / 1024}


WORK = [Idle(1000), Idle(MOST)]
