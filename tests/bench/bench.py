"""Side by side: the same work against sallyport and its peers, in one run, interleaved.

CPU is what counts: microseconds a request, seconds a GB, of the server's processes; rates and
latencies stand beside it. Ratios are taken inside each repetition, against nginx. Nothing here
asserts a figure.
"""
import argparse
import importlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from catalogue import Catalogue  # noqa: E402
from pki import make  # noqa: E402
from wsus_upstream import Upstream  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
RANGES = """
local size = {size}
request = function()
  local first = math.random(0, math.floor(size / 1048576) - 1) * 1048576
  return wrk.format("GET", nil, {{["Range"] = "bytes=" .. first .. "-" .. (first + 1048575)}})
end
"""


@dataclass
class Workload:
    name: str
    file: str
    tls: bool
    connections: int
    bulk: bool = False        # figures per GB rather than per request
    ranges: bool = False
    fresh: bool = False       # a new connection a request


WORKLOADS = [
    Workload("small-tls", "small", True, 64),
    Workload("small-plain", "small", False, 64),
    Workload("fresh-tls", "small", True, 16, fresh=True),
    Workload("bulk1-tls", "big", True, 1, bulk=True),
    Workload("bulk16-tls", "big", True, 16, bulk=True),
    Workload("range32-tls", "big", True, 32, bulk=True, ranges=True),
]


@dataclass
class Scene:
    workers: int
    pki: object = field(default_factory=make)

    def __post_init__(self) -> None:
        catalogue = Catalogue(7, 30, 10, big=64 << 20)
        by_size = {f.size: f for f in catalogue.files}
        self.files = {"small": by_size[4096], "big": by_size[64 << 20]}
        self.upstream = Upstream(catalogue, *self.pki.pair("upstream"))
        self.content_url = f"http://localhost:{self.upstream.plain.port}"

    def warm(self, url: str) -> None:
        for file in self.files.values():
            with urllib.request.urlopen(url + file.path) as answer:
                while answer.read(1 << 20):
                    pass

    def close(self) -> None:
        self.upstream.close()


def cpu_seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def wrk(url: str, work: Workload, size: int, seconds: int) -> dict[str, float]:
    command = ["wrk", "-t1", f"-c{work.connections}", f"-d{seconds}s", "--latency",
               "--timeout", "60s"]
    script = None
    if work.ranges:
        script = tempfile.NamedTemporaryFile("w", suffix=".lua")
        script.write(RANGES.format(size=size))
        script.flush()
        command += ["-s", script.name]
    if work.fresh:
        command += ["-H", "Connection: close"]
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    if script:
        script.close()
    requests, number, unit = re.search(r"(\d+) requests in [^,]+, ([\d.]+)([KMGT]?B) read",
                                       out).groups()
    found = {"requests": max(1.0, float(requests)),
             "bytes": float(number) * 1024 ** ["B", "KB", "MB", "GB", "TB"].index(unit)}
    if wrong := re.search(r"Non-2xx or 3xx responses: (\d+)", out):
        raise SystemExit(f"{url}: {wrong[1]} answers were no success\n{out}")
    for name in ("50%", "99%"):
        found[name] = milliseconds(re.search(rf"{name}\s+([\d.]+\w+)", out)[1])
    return found


def measure(peer, scene: Scene, work: Workload, seconds: int) -> dict[str, float]:
    file = scene.files[work.file]
    url = (peer.url if work.tls else peer.plain_url) + file.path
    before, began = cpu_seconds(peer.pids()), time.monotonic()
    found = wrk(url, work, file.size, seconds)
    spent, took = cpu_seconds(peer.pids()) - before, time.monotonic() - began
    gigabytes = found["bytes"] / 1e9
    return {
        "cpu": spent / gigabytes if work.bulk else spent / found["requests"] * 1e6,
        "rate": gigabytes * 1000 / took if work.bulk else found["requests"] / took,
        "p50_ms": found["50%"], "p99_ms": found["99%"],
    }


def quartiles(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def table(results: dict, names: list[str]) -> str:
    lines = ["| workload | CPU | " + " | ".join(names) + " | sallyport / nginx |",
             "| --- | --- |" + " --- |" * (len(names) + 1)]
    for work in WORKLOADS:
        if work.name not in results:
            continue
        rows = results[work.name]
        unit = "s/GB" if work.bulk else "us/request"
        cells = [f"{statistics.median(r['cpu'] for r in rows[n]):.2f}; "
                 f"p99 {statistics.median(r['p99_ms'] for r in rows[n]):.1f} ms"
                 for n in names]
        ratio = "-"
        if "nginx" in rows and "sallyport" in rows:
            ratio = quartiles([a["cpu"] / b["cpu"] for a, b in
                               zip(rows["sallyport"], rows["nginx"], strict=True)])
        lines.append(f"| {work.name} | {unit} | " + " | ".join(cells) + f" | {ratio} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="nginx alone, two minutes")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tsv", type=Path, help="every single figure")
    parser.add_argument("--only", help="a workload's name")
    options = parser.parse_args()
    if options.quick:
        options.repetitions, options.seconds = 3, 2
    wanted = ["sallyport", "nginx"] + ([] if options.quick else ["h2o"])
    modules = {n: importlib.import_module(f"peers.{n}") for n in wanted}
    names = [n for n in wanted if modules[n].available()]
    print("peers: " + ", ".join(names) + "".join(
        f"; {n} is not installed" for n in wanted if n not in names), flush=True)
    if os.getloadavg()[0] > 0.5:
        print(f"warning: the machine is busy (load {os.getloadavg()[0]:.1f}): "
              "trust the ratios, not the figures", flush=True)
    run(options, names, modules)


def run(options: argparse.Namespace, names: list[str], modules: dict) -> None:
    scene = Scene(options.workers)
    peers: dict[str, object] = {}
    results: dict[str, dict[str, list]] = {}
    try:
        for name in names:
            peers[name] = modules[name].Peer(scene)
        for repetition in range(options.repetitions):
            for work in WORKLOADS:
                if options.only and work.name != options.only:
                    continue
                for name in names:
                    row = measure(peers[name], scene, work, options.seconds)
                    results.setdefault(work.name, {}).setdefault(name, []).append(row)
            print(f"repetition {repetition + 1} of {options.repetitions}", flush=True)
    finally:
        for peer in peers.values():
            peer.close()
        scene.close()
    print(table(results, names))
    if options.tsv:
        with options.tsv.open("w") as out:
            print("workload\tpeer\trepetition\tcpu\trate\tp50_ms\tp99_ms", file=out)
            for work, rows in results.items():
                for name, values in rows.items():
                    for i, v in enumerate(values):
                        print(work, name, i, *(f"{x:.4g}" for x in v.values()), sep="\t",
                              file=out)


if __name__ == "__main__":
    main()
