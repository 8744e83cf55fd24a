"""The load that wrk cannot make: all at once, or at a given rate. See askers.c."""
import json
import os
import subprocess
from contextlib import contextmanager
from urllib.parse import urlsplit

from work import Cannot


def start(url: str, paths: list[str], *options, ca: str) -> subprocess.Popen:
    to = urlsplit(url)
    trust = ["-a", ca] if to.scheme == "https" else []
    return subprocess.Popen([os.environ["ASKERS"], *trust, *map(str, options), str(to.port), *paths],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def result(load: subprocess.Popen) -> dict[str, float]:
    out, errors = load.communicate()
    if load.returncode:
        raise Cannot(errors.strip()[:200] or "the askers ended")
    found = json.loads(out)
    if not found["complete"]:
        raise Cannot(f"none of {found['asked']} was answered")
    return found


def at_once(url: str, paths: list[str], connections: int, ca: str) -> dict[str, float]:
    """Each connection asks for one of the paths, all in the same moment."""
    return result(start(url, paths, "-c", connections, ca=ca))


def paced(url: str, path: str, connections: int, rate: float, seconds: float, *options,
          ca: str) -> dict[str, float]:
    """So many requests a second, whatever becomes of them: milliseconds that they took, from when
    they were due."""
    found = result(start(url, [path], "-c", connections, "-r", rate, "-s", seconds, *options,
                         ca=ca))
    return {"p50_ms": found["time_p50_s"] * 1e3, "p99_ms": found["time_p99_s"] * 1e3}


@contextmanager
def kept(url: str, path: str, connections: int, ca: str):
    """So many connections that asked once and stay; yields how many there are."""
    load = start(url, [path], "-k", "-c", connections, ca=ca)
    try:
        line = load.stdout.readline()
        if not line:
            raise Cannot(load.stderr.read()[:200])
        yield json.loads(line)["held"]
    finally:
        load.communicate()
