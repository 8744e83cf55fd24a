"""The load of short answers and of bulk: wrk, one thread."""
import math
import re
import subprocess
import tempfile

from work import Cannot

RANGES = """
local size = {size}
request = function()
  local first = math.random(0, math.floor(size / 1048576) - 1) * 1048576
  return wrk.format("GET", nil, {{["Range"] = "bytes=" .. first .. "-" .. (first + 1048575)}})
end
"""


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def start(url: str, connections: int, seconds: float, size: int = 0,
          fresh: bool = False) -> subprocess.Popen:
    """size: random ranges of a MiB of a file so large; fresh: a connection a request. wrk knows
    whole seconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{math.ceil(seconds)}s", "--latency",
               "--timeout", "60s"]
    if fresh:
        command += ["-H", "Connection: close"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as script:
        script.write(RANGES.format(size=size))
    if size:
        command += ["-s", script.name]
    return subprocess.Popen([*command, url], stdout=subprocess.PIPE, text=True)


def result(load: subprocess.Popen) -> dict[str, float]:
    out = load.communicate()[0]
    counted = re.search(r"(\d+) requests in [^,]+, ([\d.]+)([KMGT]?B) read", out)
    if load.returncode or not counted:
        raise Cannot(f"wrk failed: {out[:200]}")
    if wrong := re.search(r"Non-2xx or 3xx responses: (\d+)", out):
        raise Cannot(f"{wrong[1]} answers were no success")
    requests, number, unit = counted.groups()
    return {"requests": max(1.0, float(requests)),
            "GB": float(number) * 1024 ** ["B", "KB", "MB", "GB", "TB"].index(unit) / 1e9,
            "p50_ms": milliseconds(re.search(r"50%\s+([\d.]+\w+)", out)[1]),
            "p99_ms": milliseconds(re.search(r"99%\s+([\d.]+\w+)", out)[1])}


def run(*args, **more) -> dict[str, float]:
    return result(start(*args, **more))
