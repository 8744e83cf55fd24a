"""Ten thousand idle connections once more, on a server that has done all other work: what it keeps of
that counts here."""
from meter import settled
from work import Job, Row
from work.idle import MOST, beside, own_kib


class Later(Job):
    name, quick, repetitions, runs, else_s = "idle-later", False, 1, 0, 5 + MOST / 1800
    rows = [Row("MiB", f"{MOST:,} idle after all other work: the whole server, MiB", "150")]

    def measure(self, peer, stage, _seconds: float, _repetition: int) -> dict[str, float]:
        settled(lambda: own_kib(peer))
        return {"MiB": beside(peer, stage, MOST)[1] / 1024}


WORK = [Later()]
