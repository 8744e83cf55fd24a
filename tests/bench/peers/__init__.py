"""One module a server: each has available(), VERSION, a command that says it, and a class
Peer(stage), a Server of here, that serves what the stage's upstream has, from a cache, under the
upstream's paths. The upstream is reached over TLS and its certificate is checked."""
import copy
import importlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from gate import free_ports
from meter import tree
from work import Cannot

READY_SECONDS = 30.0
NAMES = ("sallyport", "nginx", "h2o", "haproxy", "trafficserver", "varnish", "squid")


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Until something listens on the port; a server that ended instead is an error."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args[0]} does not listen on {port}") from None
        time.sleep(0.02)


def version(module) -> str:
    done = subprocess.run(module.VERSION, capture_output=True, text=True, check=False)
    return re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)[0]


def make(name: str, stage, want_twin: bool) -> "Server":
    """With a twin beside it, which has two workers, where that is asked for."""
    module = importlib.import_module(f"peers.{name}")
    peer = module.Peer(stage)
    try:
        peer.warm()
        if want_twin and peer.workers == 1 and peer.has_twin:
            stage = copy.copy(stage)
            stage.workers = 2
            peer.twin = module.Peer(stage)
            peer.twin.warm(("small", "big"))
    except BaseException:
        peer.close()
        raise
    return peer


class Server:
    """A folder, two ports, processes. no_fetch, no_soap: why what is not here does not come from
    the upstream, or answers to what is posted."""

    no_fetch = no_soap = ""
    has_twin = False             # whether it is measured with two workers too
    twin: "Server | None" = None
    descriptors = 1              # of one process, for a connection
    rest_kib: int | None = None  # its own memory before the first idle connections

    def __init__(self, stage) -> None:
        self.stage, self.workers = stage, stage.workers
        self.not_held: dict[str, str] = {}  # paths of files that it does not cache, and why
        self.no_ranges: str | None = None   # why not; None: not tried yet
        self.dir = Path(tempfile.mkdtemp(prefix=f"bench-{type(self).__module__.split('.')[-1]}-"))
        self.dir.chmod(0o777)
        self.plain_port = free_ports(4)
        self.tls_port, self.inner_port = self.plain_port + 1, self.plain_port + 2
        self.url = f"https://localhost:{self.tls_port}"
        self.plain_url = f"http://localhost:{self.plain_port}"
        self.cert, self.key = stage.pki.pair("sallyport")
        self.processes: list[subprocess.Popen] = []
        self.names = {"dir": self.dir, "plain": self.plain_port, "tls": self.tls_port,
                      "inner": self.inner_port, "cert": self.cert, "key": self.key,
                      "ca": stage.pki.ca, "workers": stage.workers, "origin": stage.origin,
                      "origin_port": stage.origin.rpartition(":")[2]}

    def write(self, name: str, text: str) -> Path:
        path = self.dir / name
        path.write_text(text.format(**self.names))
        return path

    def pem(self) -> None:
        """Certificate and key in one file, as some want it."""
        (self.dir / "both.pem").write_text(Path(self.cert).read_text() + Path(self.key).read_text())

    def start(self, *command, port: int, env: dict | None = None) -> None:
        with (self.dir / "output").open("a") as output:
            process = subprocess.Popen(list(map(str, command)), stdout=output, stderr=output,
                                       cwd=self.dir, env=env)
        self.processes.append(process)
        try:
            wait_for(port, process)
        except RuntimeError as failed:
            said = (self.dir / "output").read_text()[-500:]
            self.close()
            raise RuntimeError(f"{failed}: {said}") from None

    def pids(self) -> list[int]:
        return [pid for p in self.processes for pid in tree(p.pid)]

    def warm(self, only: tuple = ()) -> None:
        """All files that are to be hits, or these, are asked for, and must be hits then."""
        wanted = {f.path: f for n, f in self.stage.warm_files.items() if not only or n in only}
        for file in wanted.values():
            try:
                for url in (self.plain_url, self.url):
                    self.check(url, file)
                    self.prove(file, url)
            except Cannot as why:
                self.not_held[file.path] = str(why)

    def check(self, url: str, file) -> None:
        try:
            digest = self.stage.digest(url, file)
        except OSError as failed:
            raise Cannot(f"{failed}") from None
        if digest != file.sha1:
            raise Cannot("other bytes come than the upstream has")

    def prove(self, file, url: str = "") -> None:
        """The right bytes come, and not from the upstream; over TLS unless told."""
        asked = len(self.stage.upstream.content_requests())
        self.check(url or self.url, file)
        if len(self.stage.upstream.content_requests()) > asked:
            raise Cannot("asks the upstream each time")

    def must_hold(self, file) -> None:
        if file.path in self.not_held:
            raise Cannot(self.not_held[file.path])

    def must_have_ranges(self, file) -> None:
        """Also: must_hold."""
        self.must_hold(file)
        if self.no_ranges is None:
            self.no_ranges = self._range_wrong(file)
        if self.no_ranges:
            raise Cannot(self.no_ranges)

    def _range_wrong(self, file) -> str:
        first, end = file.size // 2 + 7, file.size // 2 + 7 + (1 << 20)
        asked = len(self.stage.upstream.content_requests())
        status, body = self.stage.part(self.url, file, first, end)
        if status != 206:
            return "answers a range with the whole file"
        if body != b"".join(file.pieces(first, end)):
            return "other bytes come than the upstream has"
        hit = len(self.stage.upstream.content_requests()) == asked
        return "" if hit else "asks the upstream for each range"

    def must_fetch(self) -> None:
        if self.no_fetch:
            raise Cannot(self.no_fetch)

    def must_pass_soap(self) -> None:
        if self.no_soap:
            raise Cannot(self.no_soap)

    def close(self) -> None:
        if self.twin:
            self.twin.close()
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
