"""One module a kind of work. Each has WORK: objects with

    name, unit    of the row; the main figure's
    goal          what is aimed at, as text
    quick         whether --quick runs it
    cold, soap    how many cold files a repetition takes; whether it needs update metadata
    measure(peer, stage, seconds, repetition) -> figures, the one called "main" among them,
                  or None where the peer cannot do that

Nothing here asserts a time."""
import importlib

MODULES = ("small", "handshake", "bulk", "cold", "soap", "storm", "fairness", "idle")


def every() -> list:
    return [w for m in MODULES for w in importlib.import_module(f"work.{m}").WORK]
