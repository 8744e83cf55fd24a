"""The load that wrk cannot make: all at once, or at a given rate. See askers.c."""
import json
import os
import subprocess
from urllib.parse import urlsplit


def start(url: str, paths: list[str], *options, ca: str = "") -> subprocess.Popen:
    to = urlsplit(url)
    trust = ["-a", ca] if to.scheme == "https" else []
    return subprocess.Popen([os.environ["ASKERS"], *trust, *map(str, options), str(to.port), *paths],
                            stdout=subprocess.PIPE, text=True)


def result(load: subprocess.Popen) -> dict[str, float]:
    out = load.communicate()[0]
    if load.returncode:
        raise SystemExit(f"askers failed: {' '.join(load.args)}")
    return json.loads(out)


def at_once(url: str, paths: list[str], connections: int, ca: str) -> dict[str, float]:
    """Each connection asks for one of the paths, all in the same moment."""
    return result(start(url, paths, "-c", connections, ca=ca))


def paced(url: str, path: str, connections: int, rate: float, seconds: float, *options,
          ca: str = "") -> dict[str, float]:
    """So many requests a second, whatever becomes of them: how long each took, from when it
    was due."""
    return result(start(url, [path], "-c", connections, "-r", rate, "-s", seconds, *options,
                        ca=ca))
