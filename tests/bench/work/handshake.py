"""A new connection a request: microseconds of CPU, with a full handshake and resumed."""
import socket
from urllib.parse import urlsplit

import askers
import wrk
from meter import Stopwatch
from work import Job, Row

RATE = 300


class Fresh(Job):
    name, runs = "fresh-tls", 2
    rows = [Row("us", "full handshake a request, us", "0.95 nginx"),
            Row("p99_ms", f"the same, {RATE} a second: p99, ms", "1.0 nginx")]

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        path = stage.warm_files["small"].path
        watch = Stopwatch(peer.pids())
        found = wrk.run(peer.url + path, 16, seconds, fresh=True)
        return {"us": watch.cpu() / found["requests"] * 1e6,
                "per_s": found["requests"] / watch.seconds(),
                **askers.paced(peer.url, path, 64, RATE, seconds, "-n", ca=stage.pki.ca)}


class Resumed(Job):
    name = "resumed-tls"
    rows = [Row("us", "resumed handshake a request, us", "0.90 nginx")]

    def measure(self, peer, stage, seconds: float, _repetition: int) -> dict[str, float]:
        to, context = urlsplit(peer.url), stage.client_context()
        request = (f"GET {stage.warm_files['small'].path} HTTP/1.1\r\nHost: {to.netloc}\r\n"
                   "Connection: close\r\n\r\n").encode()
        session, count, reused = None, 0, 0
        watch = Stopwatch(peer.pids())
        while watch.seconds() < seconds:
            with socket.create_connection((to.hostname, to.port)) as bare, \
                    context.wrap_socket(bare, server_hostname=to.hostname,
                                        session=session) as tls:
                tls.sendall(request)
                while tls.recv(65536):
                    pass
                reused += bool(tls.session_reused)
                session = tls.session
            count += 1
        return {"us": watch.cpu() / count * 1e6, "per_s": count / watch.seconds(),
                "resumed_percent": 100 * reused / count}


WORK = [Fresh(), Resumed()]
