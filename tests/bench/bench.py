"""Side by side: the same work against sallyport and its peers, in one run, interleaved.

CPU of the servers' processes is what counts; rates, latencies and memory stand beside it. Ratios
are taken inside each repetition. Nothing here asserts a figure."""
import argparse
import importlib
import os
import platform
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import meter  # noqa: E402
import peers  # noqa: E402
import work  # noqa: E402
from stage import Stage  # noqa: E402

Results = dict[str, dict[str, list[dict[str, float] | None]]]
QUIET = 0.5  # CPU-seconds a second that others may use


def quartiles(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def ratio(rows: dict[str, list], over: str) -> str:
    """sallyport's main figure over another's, inside each repetition."""
    pairs = [(a["main"], b["main"]) for a, b in
             zip(rows.get("sallyport", []), rows.get(over, []), strict=False)
             if a and b and b["main"] > 0]
    return quartiles([a / b for a, b in pairs]) if pairs else "-"


def table(results: Results, names: list[str], works: list) -> str:
    lines = ["| workload | unit | " + " | ".join(names) + " | / nginx | / h2o | goal |",
             "| --- | --- |" + " --- |" * (len(names) + 3)]
    for job in works:
        rows = results.get(job.name, {})
        cells = []
        for name in names:
            values = [r["main"] for r in rows.get(name, []) if r]
            cells.append(f"{statistics.median(values):.4g}" if values else "-")
        lines.append(f"| {job.name} | {job.unit} | " + " | ".join(cells) +
                     f" | {ratio(rows, 'nginx')} | {ratio(rows, 'h2o')} | {job.goal} |")
    return "\n".join(lines)


def write_tsv(path: Path, results: Results) -> None:
    with path.open("w") as out:
        print("workload\tpeer\trepetition\tfigure\tvalue", file=out)
        for job, rows in results.items():
            for name, values in rows.items():
                for i, figures in enumerate(values):
                    for figure, value in (figures or {}).items():
                        print(job, name, i, figure, f"{value:.5g}", sep="\t", file=out)


class Neighbours:
    """CPU that is used by nobody of this run, where that can be told: while it rests."""

    def __init__(self) -> None:
        self.warned = False

    def look(self) -> None:
        began, used = time.monotonic(), meter.machine_busy()
        time.sleep(0.5)
        others = (meter.machine_busy() - used) / (time.monotonic() - began)
        if others > QUIET:
            self.warned = True
            print(f"warning: others use {others:.1f} CPUs: trust the ratios, not the figures",
                  flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="nginx alone, two minutes")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tsv", type=Path, help="every single figure")
    parser.add_argument("--markdown", type=Path, help="the table, besides printing it")
    parser.add_argument("--only", help="names of workloads, with commas between")
    parser.add_argument("--peers", help="names of servers, with commas between")
    options = parser.parse_args()
    if options.quick:
        options.repetitions, options.seconds = 3, 2
    return options


def chosen_works(options: argparse.Namespace) -> list:
    only = options.only.split(",") if options.only else None
    return [w for w in work.every() if (w.name in only if only else w.quick or not options.quick)]


def chosen_peers(options: argparse.Namespace) -> dict[str, object]:
    wanted = (options.peers.split(",") if options.peers
              else ["sallyport", "nginx"] if options.quick else list(peers.NAMES))
    modules = {n: importlib.import_module(f"peers.{n}") for n in wanted}
    here = {n: m for n, m in modules.items() if m.available()}
    print("servers: " + ", ".join(here) + "".join(
        f"; SKIPPED {n}: not installed" for n in wanted if n not in here), flush=True)
    return here


def measure_all(options: argparse.Namespace, running: dict[str, object], stage: Stage,
                works: list) -> Results:
    """Interleaved: each server does the same work before the next kind of work."""
    results: Results = {}
    for repetition in range(options.repetitions):
        Neighbours().look()
        for job in works:
            for name, peer in running.items():
                figures = job.measure(peer, stage, options.seconds, repetition)
                results.setdefault(job.name, {}).setdefault(name, []).append(figures)
        print(f"repetition {repetition + 1} of {options.repetitions}", flush=True)
    return results


def main() -> None:
    options = arguments()
    works, modules = chosen_works(options), chosen_peers(options)
    stage = Stage(options.workers, options.repetitions,
                  want_cold=2 if any(w.name == "storm-200" for w in works)
                  else max((w.cold for w in works), default=0),
                  want_soap=any(w.soap for w in works),
                  want_huge=not options.quick and any(w.name.startswith("range") for w in works))
    running: dict[str, object] = {}
    try:
        for name, module in modules.items():
            try:
                running[name] = module.Peer(stage)
            except (RuntimeError, OSError) as failed:
                print(f"SKIPPED {name}: {failed}", flush=True)
        results = measure_all(options, running, stage, works)
    finally:
        for peer in running.values():
            peer.close()
        stage.close()
    shown = table(results, list(running), works)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, "
          f"{platform.release()}, {time.strftime('%Y-%m-%d', time.gmtime())}\n\n{shown}")
    if options.tsv:
        write_tsv(options.tsv, results)
    if options.markdown:
        options.markdown.write_text(shown + "\n")


if __name__ == "__main__":
    main()
