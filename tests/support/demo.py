#!/usr/bin/env python3
"""What scripts/quickstart shows: a stand-in upstream WSUS, sallyport in front of it and a
stand-in downstream server behind it, all on loopback. Every line that is printed was checked;
what does not hold ends the demonstration with a sentence and exit status 1.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import catalogue
import soap
from downstream import Downstream, Mismatch
from pki import SOURCE, Pki
from wire import Wire
from wsus_upstream import Upstream

WIDTH = 78
LABEL = 27
READY_SECONDS = 30.0
STOP_SECONDS = 30.0


class Broken(Exception):
    """A step did not show what it has to show."""


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise Broken(what)


def free_ports(count: int) -> int:
    """The first of count neighbouring free ports, below those the kernel hands out."""
    for first in range(18530, 32000, count):
        taken = []
        try:
            for i in range(count):
                taken.append(socket.create_server(("127.0.0.1", first + i)))
            return first
        except OSError:
            continue
        finally:
            for sock in taken:
                sock.close()
    raise Broken("there are no free ports on 127.0.0.1")


class Gate:
    """sallyport before two upstreams: the honest one and one with a key nobody pinned."""

    def __init__(self, program: str, work: Path, pki: Pki, urls: dict[str, str]) -> None:
        self.program, self.log = program, work / "sallyport.log"
        self.http, self.tls, self.impostor, self.admin = range(first := free_ports(4), first + 4)
        self.config = work / "sallyport.conf"
        self.config.write_text(self._config(work, pki, urls))
        self.process: subprocess.Popen | None = None

    def _config(self, work: Path, pki: Pki, urls: dict[str, str]) -> str:
        cert, key = pki.pair("sallyport")
        pins = f'"{pki.pins["upstream"]}", "{pki.pins["spare"]}"'
        upstreams = "".join(
            f'upstream "{name}" {{\n  url     = "{url}"\n  ca_file = "{pki.ca}"\n'
            f"  pins    = {{ {pins} }}\n}}\n" for name, url in urls.items())
        doors = "".join(
            f'listener "{name}" {{\n  bind = "127.0.0.1:{port}"  upstream = "{upstream}"\n'
            f'  certificate = "{cert}"\n  key = "{key}"\n  names = {{ "localhost" }}\n}}\n'
            for name, upstream, port in (("downstream", "head-office", self.tls),
                                         ("impostor-test", "impostor", self.impostor)))
        return (f'state_dir = "{work}/state"\ncache_dir = "{work}/cache"\n'
                f'policy    = "{SOURCE}/policies/strict-2026.policy"\n'
                f'log {{ format = "json"  level = "info" }}\n{upstreams}{doors}'
                f'listener "downstream-http" {{\n  bind = "127.0.0.1:{self.http}"  '
                'upstream = "head-office"\n  plain_http = "enforce"\n'
                '  content_http = "verified-only"\n}\n'
                f'admin {{ bind = "127.0.0.1:{self.admin}" }}\nworkers = 2\n')

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([self.program, "run", "-c", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            expect(self.process.poll() is None and time.monotonic() < deadline,
                   "sallyport did not start")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.admin}/health", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Broken("sallyport did not stop when asked to") from None
        expect(status == 0, f"sallyport ended with exit status {status}")

    def command(self, *words: str) -> str:
        done = subprocess.run([self.program, *words, "-c", str(self.config)],
                              capture_output=True, text=True, timeout=60, check=False)
        expect(done.returncode == 0, f"sallyport {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def entries(self) -> int:
        """How many lines `ledger list` prints, once `ledger verify` says they are whole."""
        self.command("ledger", "verify")
        return len(self.command("ledger", "list").splitlines())


def refused(call, *words: str) -> soap.Fault:
    """call() has to be answered by a SOAP fault that says words."""
    try:
        call()
    except soap.Fault as fault:
        for word in words:
            expect(word in fault.message, f'the fault does not say "{word}": {fault}')
        return fault
    raise Broken("it was let through")


def show(number: int, what: str, came: str) -> None:
    """One numbered line of at most WIDTH columns; what does not fit goes on below."""
    lines, line = [], ""
    for word in came.split():
        if line and LABEL + len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    for i, text in enumerate([*lines, line]):
        head = f"{number}  {what}" if i == 0 else ""
        print(f"{head:<{LABEL}}{text}", flush=True)


class Demo:
    def __init__(self, program: str, work: Path) -> None:
        self.program, self.work = program, work
        self.pki = Pki(work / "pki")
        self.upstream: Upstream | None = None
        self.impostor: Upstream | None = None
        self.gate: Gate | None = None

    def start(self) -> None:
        subprocess.run([SOURCE / "scripts" / "make-pki", "--hostile", self.work / "pki"],
                       check=True, timeout=120)

    def close(self) -> None:
        if self.gate:
            self.gate.stop()
        for server in (self.upstream, self.impostor):
            if server:
                server.close()
