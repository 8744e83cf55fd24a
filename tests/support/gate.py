"""Runs the real program: config, ports, readiness, signals, log, admin endpoints, commands.

$SALLYPORT names the binary. A gate that is closed must have ended well and without a word from a
sanitizer.
"""
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import signer
from pki import SOURCE, Pki

READY_SECONDS = 30.0
STOP_SECONDS = 30.0
SANITIZER = re.compile(r"(Address|Thread|Leak|UndefinedBehavior|Memory)Sanitizer|runtime error:")


def binary() -> str:
    """The program under test; a skip that anybody sees where none is named. One that is named and
    not there is a mistake, and no test may pass over it."""
    path = os.environ.get("SALLYPORT", "")
    if not path:
        print("SKIPPED: $SALLYPORT does not name the program to test")
        raise unittest.SkipTest("no program")
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"$SALLYPORT names no program that can be run: {path}")
    return path


def is_sanitized() -> bool:
    data = Path(binary()).read_bytes()
    return b"__asan_init" in data or b"__tsan_init" in data


def free_ports(count: int) -> int:
    """The first of count neighbouring free ports, below the range the kernel hands out, so that
    nobody is given one of them by chance."""
    chance = random.Random(os.getpid() ^ time.monotonic_ns())
    for _ in range(500):
        first = chance.randrange(12000, 32000)
        taken = []
        try:
            taken = [socket.create_server(("127.0.0.1", first + i)) for i in range(count)]
            if len(taken) == count:
                return first
        except OSError:
            continue
        finally:
            for sock in taken:
                sock.close()
    raise OSError("no free ports")


def written(value: str | int | list[str]) -> str:
    """A value as the configuration file has it."""
    if isinstance(value, list):
        return "{ " + ", ".join(map(json.dumps, value)) + " }"
    return json.dumps(value)


class Gate:
    """One sallyport with one upstream. Keyword arguments change what the configuration says;
    directory is kept when given (for a restart on the same state)."""

    def __init__(self, upstream: str, pki: Pki, **settings) -> None:
        self.upstream, self.pki = upstream, pki
        self.settings = settings
        self.env: dict[str, str] = settings.pop("env", {})
        self._own = Path(tempfile.mkdtemp(prefix="sallyport-e2e-"))
        self.directory: Path = settings.pop("directory", None) or self._own
        self.state_dir = Path(settings.get("state_dir", self.directory / "state"))
        self.cache_dir = Path(settings.get("cache_dir", self.directory / "cache"))
        self.config = self._own / "sallyport.conf"
        self.log_path = self._own / "log"
        first = free_ports(3)
        self.http_port, self.port, self.admin_port = first, first + 1, first + 2
        self.process: subprocess.Popen | None = None
        for path in (self.state_dir, self.cache_dir):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.write_config()

    # ---- configuration ------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def http_url(self) -> str:
        return f"http://localhost:{self.http_port}"

    def default_pins(self) -> list[str]:
        return [self.pki.pins["intermediate"], self.pki.pins["spare"]]

    def config_text(self) -> str:
        get = self.settings.get
        pins = ", ".join(f'"{p}"' for p in get("pins", self.default_pins()))
        cert, key = self.pki.pair(get("certificate", "sallyport"))
        allow = ", ".join(f'"{n}"' for n in get("allow", ["127.0.0.0/8"]))
        crls = ", ".join(f'"{path}"' for path in get("code_signing_crls", []))
        policy = get("policy", SOURCE / "policies" / "strict-2026.policy")
        return f"""state_dir = "{self.state_dir}"
cache_dir = "{self.cache_dir}"
policy    = "{policy}"
metadata_memory_mib = {get('metadata_memory_mib', 512)}
code_signing_pins = "{get('code_signing_pins', signer.make().pins)}"
code_signing_bundle = "{get('code_signing_bundle', signer.make().bundle)}"
code_signing_crls = {{ {crls} }}
content_release = "{get('content_release', 'tail-hold')}"
content_hold_kib = {get('content_hold_kib', 1024)}
log {{ format = "json"  level = "{get('log_level', 'info')}" }}
upstream "{get('upstream_name', 'head-office')}" {{
  url     = "{self.upstream}"
  ca_file = "{get('ca', self.pki.ca)}"
  pins    = {{ {pins} }}
  content_transport = "{get('content_transport', 'https')}"
  cookies = "{get('cookies', 'sealed')}"  cookie_age = {get('cookie_age', 86400)}
{get('upstream_more', '')}}}
listener "downstream" {{
  bind = "127.0.0.1:{self.port}"  upstream = "{get('upstream_name', 'head-office')}"
  certificate = "{cert}"  key = "{key}"  client_ca = "{get('client_ca', '')}"
  allow = {{ {allow} }}
  file_locations = "{get('file_locations', 'custody')}"
  content_address = "{get('content_address', '')}"
{get('listener_more', '')}}}
listener "downstream-http" {{
  bind = "127.0.0.1:{self.http_port}"  upstream = "{get('upstream_name', 'head-office')}"
  plain_http = "{get('plain_http', 'enforce')}"
  content_http = "{get('content_http', 'verified-only')}"
}}
admin {{ bind = "127.0.0.1:{self.admin_port}" {get('admin_more', '')} }}
workers = {get('workers', 2)}
sandbox = "{get('sandbox', 'off' if is_sanitized() else 'on')}"
user = "{get('user', 'root' if os.geteuid() == 0 else '')}"
group = "{get('group', '')}"
posture = "{get('posture', 'off')}"
posture_interval = {get('posture_interval', 0)}
{self._catalog_text()}{get('witnesses', '')}{self._top_text()}"""

    def _catalog_text(self) -> str:
        if not (url := self.settings.get("catalog")):
            return ""
        pins = ", ".join(f'"{p}"' for p in self.default_pins())
        return (f'catalog "offline-scan" {{ url = "{url}" ca_file = "{self.pki.ca}" '
                f'pins = {{ {pins} }} max_mib = {self.settings.get("catalog_max_mib", 64)} }}\n')

    def _top_text(self) -> str:
        """What a test says at the top level; the rest stays at its default."""
        keys = ("cosigns", "cosignatures", "cache_max", "cache_floor", "recheck", "scrub_rate", "ledger_name", "peer_rate",
                "peer_at_once", "peer_connections", "peer_mib", "peer_content_at_once", "peer_content_mib")
        said = {k: self.settings[k] for k in keys if k in self.settings}
        return "".join(f"{k} = {written(v)}\n" for k, v in said.items())

    def write_config(self, **settings) -> None:
        self.settings.update(settings)
        self.config.write_text(self.config_text())

    # ---- life ---------------------------------------------------------------------------

    def start(self) -> "Gate":
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [binary(), "run", "-c", self.config], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self._environment(), preexec_fn=self._limit_files)
        deadline = time.monotonic() + READY_SECONDS
        while self.health() != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:
                status = self.process.poll()
                self.kill()
                raise AssertionError(f"sallyport is not ready (exit {status}):\n{self.tail()}")
            time.sleep(0.02)
        return self

    def _limit_files(self) -> None:
        if files := self.settings.get("files"):
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    def _environment(self) -> dict[str, str]:
        keep = {k: v for k, v in os.environ.items()
                if k in ("PATH", "HOME", "TMPDIR") or k.endswith("SAN_OPTIONS")}
        return {**keep, **self.env}

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """SIGTERM; the exit status. A program that does not end is killed and told of."""
        assert self.process is not None
        process, self.process = self.process, None
        process.terminate()
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"SIGTERM did not end it:\n{self.tail()}") from None

    def ended(self) -> int:
        """The exit status of a program that was told to end already."""
        assert self.process is not None
        process, self.process = self.process, None
        return process.wait(STOP_SECONDS)

    def restart(self) -> "Gate":
        if self.process is not None:
            self.stop()
        return self.start()

    def close(self) -> None:
        """For addCleanup: ends it, and fails when the end or the log was not clean."""
        try:
            status = self.stop() if self.process is not None else 0
            text = self.log_text()
            if found := SANITIZER.search(text):
                raise AssertionError(f"{found[0]}:\n{text[max(0, found.start() - 500):][:8000]}")
            if status != 0:
                raise AssertionError(f"exit status {status}:\n{self.tail()}")
        finally:
            self.kill()
            shutil.rmtree(self._own, ignore_errors=True)

    def __enter__(self) -> "Gate":
        try:
            return self.start()
        except BaseException:
            shutil.rmtree(self._own, ignore_errors=True)
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- what it says ---------------------------------------------------------------------

    def log_text(self) -> str:
        """Read once nothing was added for a moment: a thread writes it, behind all else."""
        text = self._log_now()
        for _ in range(20):
            if self.process is None:
                break
            time.sleep(0.1)
            before, text = text, self._log_now()
            if text == before:
                break
        return text

    def _log_now(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tail(self) -> str:
        return self.log_text()[-4000:]

    def log(self) -> list[dict]:
        """Every line as an object; a line that is none is an error of the program."""
        return [json.loads(line) for line in self.log_text().splitlines() if line]

    def admin(self, path: str) -> tuple[int, str]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.admin_port}{path}", timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def health(self) -> int:
        try:
            return self.admin("/health")[0]
        except OSError:
            return 0

    def status(self) -> dict:
        return json.loads(self.admin("/status.json")[1])

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of name that carry these labels."""
        total, seen = 0.0, False
        for line in self.admin("/metrics")[1].splitlines():
            match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if not match or match[1] != name:
                continue
            found = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            if all(found.get(k) == v for k, v in labels.items()):
                total, seen = total + float(match[3]), True
        if not seen:
            raise KeyError(f"{name} {labels}")
        return total

    def memory(self) -> int:
        """Greatest resident memory so far, in bytes."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024

    # ---- commands -----------------------------------------------------------------------

    def command(self, *words: str, timeout: float = 60.0) -> subprocess.CompletedProcess:
        """sallyport WORDS -c CONFIG."""
        return run(*words, "-c", str(self.config), timeout=timeout)

    def verify_ledger(self) -> None:
        done = self.command("ledger", "verify")
        if done.returncode != 0:
            raise AssertionError(f"ledger verify: {done.returncode}\n{done.stdout}{done.stderr}")

    # ---- what it keeps --------------------------------------------------------------------

    def objects(self) -> dict[str, bytes]:
        """Path -> SHA-256 of every stored object."""
        found = {}
        for path in (self.cache_dir / "objects").rglob("*"):
            if path.is_file() and ".tree" not in path.name:
                with path.open("rb") as data:
                    found[str(path)] = hashlib.file_digest(data, "sha256").digest()
        return found

    def check_objects(self) -> int:
        """Every object is whole: its name is its digest. The number of them."""
        found = self.objects()
        for path, digest in found.items():
            if digest.hex() != Path(path).name:
                raise AssertionError(f"{path} holds {digest.hex()}")
        return len(found)

    def staged(self) -> list[str]:
        return [p.name for p in (self.cache_dir / "staging").glob("*")]


def run(*words: str, timeout: float = 60.0, env: dict[str, str] | None = None,
        stdin: str = "") -> subprocess.CompletedProcess:
    done = subprocess.run([binary(), *words], capture_output=True, text=True, timeout=timeout,
                          input=stdin, env=env, check=False)
    if SANITIZER.search(done.stderr):
        raise AssertionError(done.stderr)
    return done


def hang_up(gate: Gate) -> None:
    """SIGHUP: re-read what can be re-read."""
    gate.signal(signal.SIGHUP)


def wait_until(what: str, condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
