"""One asker of a file that is not here yet: CPU a GB, time, first byte, memory meanwhile.

The peers check nothing; sallyport takes SHA-1, SHA-256, a block tree and signatures on the way.
direct is the same transfer from the upstream without anybody between."""
import socket
import time
from urllib.parse import urlsplit

from meter import Stopwatch, pss_kib


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
                raise SystemExit(f"{url}{path}: {bytes(buffer[:200])}")
            first = first or time.monotonic() - began
            total += got
    return first, time.monotonic() - began, total


class Cold:
    name, unit, goal, quick, cold, soap = (
        "cold-tls", "s/GB", "<= 1.25 nginx; time <= 1.05, first byte <= 1.0", True, 1, False)

    def measure(self, peer, stage, _seconds: int, repetition: int) -> dict[str, float] | None:
        if not peer.fetches:
            return None
        file, context = stage.cold(0, repetition), stage.client_context()
        watch = Stopwatch(peer.pids())
        first, total, size = get(peer.url, file.path, context)
        spent, peak = watch.cpu(), pss_kib(peer.pids()) / 1024
        if size < file.size:
            raise SystemExit(f"{peer.url}: {size} bytes of {file.size}")
        return {"main": spent / file.size * 1e9, "total_ms": total * 1e3, "first_ms": first * 1e3,
                "memory_MiB": peak}


WORK = [Cold()]
