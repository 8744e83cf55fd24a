"""One module a server: each has available() and a class Peer(stage), a Server of here, that serves
what the stage's upstream has, from a cache, under the upstream's paths. The upstream is reached
over TLS and its certificate is checked."""
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from gate import free_ports
from meter import tree

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


class Server:
    """A folder, two ports, processes. caches_large: 64 MiB files are hits; fetches: what is not
    here comes from the upstream; passes_soap: so do answers to what is posted."""

    caches_large = fetches = passes_soap = True
    rest_kib: int | None = None  # its memory before the first idle connections

    def __init__(self, stage) -> None:
        self.stage = stage
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

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
