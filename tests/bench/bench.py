"""Side by side: the same work against sallyport and its peers, in one run, interleaved.

CPU of the servers' processes is what counts; rates, latencies and memory stand beside it. Ratios
are taken inside each repetition. Nothing here asserts a figure."""
import argparse
import importlib
import os
import platform
import re
import ssl
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import meter  # noqa: E402
import peers  # noqa: E402
import table  # noqa: E402
import work  # noqa: E402
from stage import Stage  # noqa: E402

QUIET = 0.2  # CPU-seconds a second that others may use
OFTEN = ("sallyport", "nginx", "h2o")
START_S, GROUP_S = 3, 1  # a server's start, warm; making a group of heavy documents


class Neighbours:
    """CPU that is used by nobody of this run."""

    def __init__(self, running: dict[str, object]) -> None:
        self.running = running
        self.found: list[float] = []
        self.begin()

    def begin(self) -> None:
        pids = [pid for p in self.running.values() for s in (p, p.twin) if s for pid in s.pids()]
        self.servers, self.own = meter.Stopwatch(pids), sum(os.times()[:4])
        self.machine = meter.machine_busy()

    def look(self) -> None:
        """What they used since the last look."""
        ours = self.servers.cpu() + sum(os.times()[:4]) - self.own
        others = (meter.machine_busy() - self.machine - ours) / self.servers.seconds()
        self.found.append(max(0.0, others))
        if others > QUIET:
            print(f"warning: others use {others:.1f} CPUs: trust the ratios, not the figures",
                  flush=True)
        self.begin()


def times(job, name: str) -> int:
    """Repetitions at the most."""
    return job.repetitions if name in OFTEN else min(job.seldom, job.repetitions)


def minutes(options: argparse.Namespace, works: list, names: list[str]) -> float:
    """What a run takes on a machine left alone, about."""
    measured = sum(min(times(job, name), options.repetitions) *
                   (job.runs * max(1, options.seconds) + job.else_s)
                   for job in works for name in names)
    groups = sum(job.heavy * min(job.repetitions, options.repetitions) for job in works)
    return (measured + START_S * len(names) + GROUP_S * groups) / 60


class Run:
    """Some jobs and servers, and what was found."""

    def __init__(self, options: argparse.Namespace, works: list, names: list[str]) -> None:
        self.options, self.works = options, works
        self.results: table.Results = {}
        self.refusals: dict[tuple[str, str], str] = {}
        self.stage = Stage(options.workers, options.repetitions, works, not options.quick and any(
            w.name in ("range32-tls", "fairness") for w in works))
        self.running: dict[str, object] = {}
        want_twins = any(w.name.startswith("two-loops") for w in works)
        for name in names:
            try:
                self.running[name] = peers.make(name, self.stage, want_twins)
            except (RuntimeError, OSError) as failed:
                print(f"SKIPPED {name}: {failed}", flush=True)
        self.neighbours = Neighbours(self.running)

    def measure(self, job, name: str, repetition: int) -> dict[str, float]:
        """Nothing where it cannot, or does not need to."""
        if repetition >= times(job, name) or (job.name, name) in self.refusals:
            return {}
        try:
            return job.measure(self.running[name], self.stage, self.options.seconds, repetition)
        except work.Missed:
            return {}
        except (work.Cannot, OSError) as why:
            self.refusals[job.name, name] = str(why)
            return {}

    def all(self) -> None:
        """Interleaved: each server does the same work before the next kind of work. Who comes first,
        behind the kind of work before, is another one each time."""
        for repetition in range(self.options.repetitions):
            for job in self.works:
                began = time.monotonic()
                rows = self.results.setdefault(job.name, {})
                names = list(self.running)
                first = repetition % len(names)
                for name in names[first:] + names[:first]:
                    rows.setdefault(name, []).append(self.measure(job, name, repetition))
                if self.options.verbose:
                    print(f"{job.name}: {time.monotonic() - began:.1f} s", flush=True)
            self.neighbours.look()
            print(f"repetition {repetition + 1} of {self.options.repetitions}", flush=True)

    def close(self) -> None:
        for peer in self.running.values():
            peer.close()
        self.stage.close()

    def heading(self) -> str:
        """Machine, versions, date, and what disturbed."""
        cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        versions = [f"{n} {peers.version(importlib.import_module('peers.' + n))}"
                    for n in self.running]
        return (f"{time.strftime('%Y-%m-%d', time.gmtime())}: {os.cpu_count()} processors "
                f"({cpu[1] if cpu else platform.machine()}), Linux {'.'.join(platform.release().split('.')[:2])}, "
                f"{' '.join(ssl.OPENSSL_VERSION.split()[:2])}; {', '.join(versions)}. "
                f"{self.options.workers} worker{'s' if self.options.workers > 1 else ''}, "
                f"{self.options.repetitions} repetitions of {self.options.seconds:g} s "
                f"(of servers other than {', '.join(OFTEN)} at most three), medians, "
                f"quartiles of ratios. Others used {statistics.median(self.neighbours.found):.2f} processors "
                f"(at most {max(self.neighbours.found):.2f}).")

    def report(self) -> str:
        return (self.heading() + "\n\n" +
                table.markdown(self.results, list(self.running), self.works, self.refusals))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="nginx alone, two minutes")
    parser.add_argument("--all", action="store_true",
                        help="every workload and every server; so it is without --quick")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tsv", type=Path, help="every single figure")
    parser.add_argument("--markdown", type=Path, help="the table, besides printing it; a file "
                        "that has one keeps what is around it")
    parser.add_argument("--only", help="names of workloads, with commas between")
    parser.add_argument("--peers", help="names of servers, with commas between")
    parser.add_argument("--verbose", action="store_true", help="tell how long each takes")
    options = parser.parse_args()
    if options.quick:
        options.repetitions = min(options.repetitions, 3)
    return options


def chosen_works(options: argparse.Namespace) -> list:
    every, only = work.every(), options.only.split(",") if options.only else []
    if unknown := set(only) - {w.name for w in every}:
        raise SystemExit(f"no such workload: {', '.join(sorted(unknown))}; there are "
                         f"{', '.join(w.name for w in every)}")
    return [w for w in every if (w.name in only if only else w.quick or not options.quick)]


def chosen_peers(options: argparse.Namespace) -> list[str]:
    wanted = (options.peers.split(",") if options.peers
              else ["sallyport", "nginx"] if options.quick else list(peers.NAMES))
    here = [n for n in wanted if importlib.import_module(f"peers.{n}").available()]
    print("servers: " + ", ".join(here) + "".join(
        f"; SKIPPED {n}: not installed" for n in wanted if n not in here), flush=True)
    return here


def main() -> None:
    options = arguments()
    works, names = chosen_works(options), chosen_peers(options)
    print(f"about {minutes(options, works, names):.0f} minutes on a machine left alone", flush=True)
    run = Run(options, works, names)
    try:
        run.all()
        report = run.report()
    finally:
        run.close()
    print(f"\n{report}")
    if options.tsv:
        table.write_tsv(options.tsv, run.results)
    if options.markdown:
        table.place(options.markdown, report)


if __name__ == "__main__":
    main()
