"""A new connection a request: microseconds of CPU, with a full handshake and resumed."""
import socket
import time
from urllib.parse import urlsplit

import wrk
from meter import Stopwatch


class Fresh:
    name, unit, goal, quick, cold, soap = (
        "fresh-tls", "us/connection", "<= 0.95 nginx, aim 0.85", True, 0, False)

    def measure(self, peer, stage, seconds: int, _repetition: int) -> dict[str, float]:
        watch = Stopwatch(peer.pids())
        found = wrk.run(peer.url + stage.warm_files["small"].path, 16, seconds, fresh=True)
        return {"main": watch.cpu() / found["requests"] * 1e6,
                "per_s": found["requests"] / watch.seconds(),
                "p50_ms": found["p50_ms"], "p99_ms": found["p99_ms"]}


class Resumed:
    name, unit, goal, quick, cold, soap = (
        "resumed-tls", "us/connection", "<= 0.90 nginx", True, 0, False)

    def measure(self, peer, stage, seconds: int, _repetition: int) -> dict[str, float]:
        to, context = urlsplit(peer.url), stage.client_context()
        request = (f"GET {stage.warm_files['small'].path} HTTP/1.1\r\nHost: {to.netloc}\r\n"
                   "Connection: close\r\n\r\n").encode()
        session, count, reused, times = None, 0, 0, []
        watch = Stopwatch(peer.pids())
        while watch.seconds() < seconds:
            began = time.monotonic()
            with socket.create_connection((to.hostname, to.port)) as bare, \
                    context.wrap_socket(bare, server_hostname=to.hostname,
                                        session=session) as tls:
                tls.sendall(request)
                while tls.recv(65536):
                    pass
                reused += bool(tls.session_reused)
                session = tls.session
            times.append(time.monotonic() - began)
            count += 1
        times.sort()
        return {"main": watch.cpu() / count * 1e6, "per_s": count / watch.seconds(),
                "p50_ms": times[count // 2] * 1e3, "p99_ms": times[count * 99 // 100] * 1e3,
                "resumed_percent": 100 * reused / count}


WORK = [Fresh(), Resumed()]
