"""One asker of a file that is not here yet: CPU a GB, time, first byte.

The peers check nothing; sallyport takes SHA-1, SHA-256, a block tree and signatures on the way.
What came is compared, and asked for again: by then it must be here."""
import socket
import time
from urllib.parse import urlsplit

from meter import Stopwatch
from work import Cannot, Job, Row


def get(url: str, path: str, context) -> tuple[float, float, int]:
    """Seconds to the first byte and to the last one, and bytes."""
    to, began, first, total = urlsplit(url), time.monotonic(), 0.0, 0
    buffer = bytearray(1 << 20)
    with socket.create_connection((to.hostname, to.port)) as bare, \
            context.wrap_socket(bare, server_hostname=to.hostname) as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {to.netloc}\r\nConnection: close\r\n\r\n"
                    .encode())
        while got := tls.recv_into(buffer):
            if not total and not buffer.startswith(b"HTTP/1.1 200"):
                raise Cannot(f"{bytes(buffer[:200])}")
            first = first or time.monotonic() - began
            total += got
    return first, time.monotonic() - began, total


class Cold(Job):
    name, cold = "cold-tls", 1
    runs, else_s = 0, 0.7
    rows = [Row("s_per_GB", "cold 64 MiB over TLS, s/GB", "1.25 nginx"),
            Row("total_ms", "the same: last byte, ms", "1.05 nginx"),
            Row("first_ms", "the same: first byte, ms", "1.0 nginx")]

    def measure(self, peer, stage, _seconds: float, repetition: int) -> dict[str, float]:
        peer.must_fetch()
        file, context = stage.cold(self, repetition), stage.client_context()
        watch = Stopwatch(peer.pids())
        first, total, size = get(peer.url, file.path, context)
        spent = watch.cpu()
        if size < file.size:
            raise Cannot(f"{size} bytes of {file.size} came")
        peer.prove(file)
        return {"s_per_GB": spent / file.size * 1e9, "total_ms": total * 1e3,
                "first_ms": first * 1e3}


WORK = [Cold()]
