"""One module a kind of work. Each has WORK: a list of Job. Nothing here asserts a time."""
import importlib
from dataclasses import dataclass

MODULES = ("idle", "small", "handshake", "bulk", "cold", "soap", "storm", "fairness", "memory",
           "idle_later", "loops")


class Cannot(Exception):
    """Why a server does not do a kind of work."""


class Missed(Exception):
    """Nothing came in time, as happens beside other load: this repetition tells nothing."""


@dataclass(frozen=True)
class Row:
    """A line of the table: which figure of the work it shows, and what is aimed at."""

    figure: str
    text: str
    goal: str = ""


class Job:
    """A kind of work. repetitions: at most so many, seldom: of servers that are there for the order
    only; cold: files that are not here yet, and heavy: groups of fifty heavy documents, which one
    repetition takes. One repetition of one server takes runs of --seconds and so much else."""

    name: str
    rows: list[Row]
    quick = True
    repetitions, seldom = 1000, 3
    cold = heavy = 0
    runs, else_s = 1, 0.1

    def measure(self, peer, stage, seconds: float, repetition: int) -> dict[str, float]:
        """The figures of one repetition; Cannot where the peer does not do this."""
        raise NotImplementedError


def every() -> list[Job]:
    return [w for m in MODULES for w in importlib.import_module(f"work.{m}").WORK]
