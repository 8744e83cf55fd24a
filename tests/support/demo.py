#!/usr/bin/env python3
"""What scripts/quickstart shows: a stand-in upstream WSUS, sallyport in front of it and a
stand-in downstream server behind it, all on loopback. Every line that is printed was checked;
what does not hold ends the demonstration with a sentence and exit status 1.
"""
import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import catalogue
import signer
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
                f'code_signing_pins   = "{signer.make().pins}"\n'
                f'code_signing_bundle = "{signer.make().bundle}"\n'
                # what the watch records has no place in a count of documents
                f'posture = "off"\n'
                f'log {{ format = "json"  level = "info" }}\n{upstreams}{doors}'
                f'listener "downstream-http" {{\n  bind = "127.0.0.1:{self.http}"  '
                'upstream = "head-office"\n  plain_http = "enforce"\n'
                '  content_http = "verified-only"\n}\n'
                f'admin {{ bind = "127.0.0.1:{self.admin}" }}\nworkers = 2\n')

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([self.program, "run", "-c", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                self.process = None
                last = self.log.read_text(errors="replace").splitlines()[-1:]
                raise Broken("sallyport did not start. " + "".join(last))
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
    """One numbered line; what does not fit in WIDTH columns goes on below."""
    lines = textwrap.wrap(came, WIDTH - LABEL)
    print(f"{f'{number}  {what}':<{LABEL}}" + ("\n" + " " * LABEL).join(lines), flush=True)


class Demo:
    """The scene and its eight steps, in order."""

    def __init__(self, program: str, work: Path, end: ExitStack) -> None:
        """end stops what is started here."""
        subprocess.run([SOURCE / "scripts" / "make-pki", "--hostile", work / "pki"],
                       check=True, timeout=120)
        self.pki = Pki(work / "pki")
        self.catalogue = catalogue.Catalogue()
        self.upstream = end.enter_context(Upstream(self.catalogue, *self.pki.pair("upstream"),
                                                   mode="xpress"))
        # the same CA, the right name, good dates: only its key is not the pinned one
        self.impostor = end.enter_context(Upstream(self.catalogue,
                                                   *self.pki.pair("hostile/neighbour")))
        self.gate = Gate(program, work, self.pki, {"head-office": self.upstream.url,
                                                   "impostor": self.impostor.url})
        end.callback(self.gate.stop)
        self.gate.start()
        self.server = end.enter_context(Downstream(
            f"https://localhost:{self.gate.tls}", self.pki.ca,
            content=f"http://localhost:{self.gate.http}"))

    def steps(self) -> list:
        return [(what, getattr(self, name)) for what, name in (
            ("sync over pinned TLS", "sync"), ("ledger", "ledger"),
            ("content", "content"), ("content again", "content_again"),
            ("proof for an auditor", "prove"), ("metadata over HTTP", "plain_http"),
            ("a changed revision", "changed_revision"),
            ("upstream, wrong key", "wrong_key"))]

    def sync(self) -> str:
        synced = self.server.sync(replica=True)
        wanted = {r.key: r.document for r in self.catalogue.revisions}
        expect(synced.documents == wanted, "not every document arrived as the upstream has it")
        self.server.rollup()
        return f"{len(wanted)} of {len(wanted)} documents proven and passed on"

    def ledger(self) -> str:
        entries, revisions = self.gate.entries(), len(self.catalogue.revisions)
        expect(entries == revisions, f"{entries} ledger entries for {revisions} documents")
        return f"{entries} entries, one a document; hashes and signature are good"

    def _download_all(self) -> int:
        with self.server.content_wire() as wire:
            return sum(len(self.server.download(claim, wire))
                       for claim in self.server.synced.claims.values())

    def content(self) -> str:
        before, size = self.gate.entries(), self._download_all()
        files = len(self.server.synced.claims)
        verified = self.gate.entries() - before
        expect(verified == files, f"{verified} ledger entries for {files} files")
        return f"{files} files, {size / 1e6:.1f} MB: digests and signatures verified"

    def content_again(self) -> str:
        before = len(self.upstream.content_requests())
        self._download_all()
        asked = len(self.upstream.content_requests()) - before
        expect(asked == 0, f"the upstream was asked for {asked} files a second time")
        return "all from the cache, 0 requests to the upstream"

    def prove(self) -> str:
        proof = self.gate.command("ledger", "prove", "7")
        expect(proof.startswith("c2sp.org/tlog-proof@v1\nindex 7\n"), "no proof of entry 7")
        return "`sallyport ledger prove 7` printed an inclusion proof"

    def plain_http(self) -> str:
        before = self.upstream.app_bytes()
        with Wire(f"http://localhost:{self.gate.http}") as wire:
            fault = refused(lambda: wire.call(soap.SERVER_SYNC, "GetAuthConfig", soap.request(
                "GetAuthConfig", soap.NAMESPACES[soap.SERVER_SYNC], "")), "plain HTTP")
        expect(fault.status == 403, f"status {fault.status} instead of 403")
        expect(self.upstream.app_bytes() == before, "the request reached the upstream")
        return "refused: 403, and the fault names the TLS port"

    def changed_revision(self) -> str:
        revision = self.catalogue.of_kind("bundle")[0]
        self.upstream.hostile.documents[revision.update_id] = "change"
        try:
            fault = refused(lambda: self.server.update_data([revision.key]),
                            "revision-immutable", "ledger entry")
        finally:
            self.upstream.hostile.reset()
        entry = fault.message.partition("ledger entry ")[2].partition(")")[0]
        self.server.update_data([revision.key])  # what was seen first still passes
        return f"refused: rule revision-immutable, ledger entry {entry}"

    def wrong_key(self) -> str:
        with Downstream(f"https://localhost:{self.gate.impostor}", self.pki.ca) as server:
            refused(server.authorize, "pin")
        expect(bool(self.impostor.tls.connections), "the upstream was not even asked")
        sent = self.impostor.app_bytes()
        expect(sent == 0, f"{sent} bytes of a request were sent")
        return "refused: no pin matches, 0 bytes of a request were sent"


def keep(demo: Demo) -> None:
    gate = demo.gate
    program = os.path.relpath(gate.program, SOURCE)
    print(f"""
It runs on until Ctrl-C. To try yourself, in another terminal:
  cd {SOURCE}
  {program} status -c {gate.config}
  {program} ledger list -c {gate.config}
  upstream    {demo.upstream.url}
  downstream  https://localhost:{gate.tls}  CA {demo.pki.ca}
  status      http://127.0.0.1:{gate.admin}/status.json""", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("\nstopping", flush=True)


def play(program: str, work: Path, stay: bool) -> None:
    with ExitStack() as end:
        demo = Demo(program, work, end)
        print("upstream WSUS (stand-in) --TLS, pinned-- sallyport --TLS-- downstream "
              "(stand-in)\n", flush=True)
        for number, (what, step) in enumerate(demo.steps(), 1):
            try:
                show(number, what, step())
            except (Broken, Mismatch, soap.Fault, OSError, ValueError) as broken:
                raise Broken(f"step {number}, {what}: {broken}") from broken
        if stay:
            keep(demo)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the sallyport to show")
    parser.add_argument("--keep", action="store_true", help="run on until Ctrl-C")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.umask(0o077)
    work = Path(tempfile.mkdtemp(prefix="sallyport-demo-"))
    try:
        play(os.path.abspath(options.program), work, options.keep)
    except (Broken, OSError, subprocess.SubprocessError) as broken:
        print("\n" + textwrap.fill(f"The demonstration failed. {broken}", WIDTH,
                                   break_long_words=False, break_on_hyphens=False)
              + f"\nThe log is {work}/sallyport.log", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(work)
        print("\nstopped before the end", file=sys.stderr)
        return 130
    shutil.rmtree(work)
    print("\nEverything held. Nothing runs on, nothing was left behind.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
