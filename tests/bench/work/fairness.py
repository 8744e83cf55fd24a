"""64 parallel ranges of one asker: by how much the p99 of another's small requests grows."""
import socket
import ssl
import time
from urllib.parse import urlsplit

import wrk

OTHER = "127.0.0.2"


def connect(peer, stage, to) -> ssl.SSLSocket:
    bare = socket.create_connection(("127.0.0.1", to.port), source_address=(OTHER, 0))
    bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stage.client_context().wrap_socket(bare, server_hostname=to.hostname)


def ask(tls: ssl.SSLSocket, request: bytes, size: int) -> bool:
    """False: the connection was used often enough, says the server, and closes it."""
    got = 0
    tls.sendall(request)
    while got < size:
        piece = tls.recv(65536)
        if not piece:
            return False
        got += len(piece)
    return True


def p99_ms(peer, stage, seconds: float) -> float:
    """One request after the other, over TLS."""
    to, times, small = urlsplit(peer.url), [], stage.warm_files["small"]
    request = f"GET {small.path} HTTP/1.1\r\nHost: {to.netloc}\r\n\r\n".encode()
    end, tls = time.monotonic() + seconds, None
    while time.monotonic() < end:
        tls = tls or connect(peer, stage, to)
        began = time.monotonic()
        try:
            answered = ask(tls, request, small.size)
        except OSError:
            answered = False
        if answered:
            times.append(time.monotonic() - began)
        else:
            tls.close()
            tls = None
    if tls:
        tls.close()
    times.sort()
    return times[len(times) * 99 // 100] * 1e3


class Fairness:
    name, unit, goal, quick, cold, soap = (
        "fairness", "times p99", "<= 3", False, 0, False)

    def measure(self, peer, stage, seconds: int, _repetition: int) -> dict[str, float] | None:
        if not peer.caches_large:
            return None
        alone = p99_ms(peer, stage, seconds / 2)
        file = stage.warm_files["ranged"]
        load = wrk.start(peer.url + file.path, 64, seconds, size=file.size)
        time.sleep(0.3)
        beside = p99_ms(peer, stage, seconds - 1)
        moved = wrk.result(load)
        return {"main": beside / alone, "alone_ms": alone, "beside_ms": beside,
                "MB_per_s": moved["GB"] * 1e3 / seconds}


WORK = [Fairness()]
