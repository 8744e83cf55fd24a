"""Askers who never rest, and remember everything that went wrong."""
import http.client
import ssl
import threading

from gate import Gate


class Load:
    """Askers over TLS and without: with a connection for each request, and with one they keep."""

    def __init__(self, gate: Gate, paths: list[str], ca: str) -> None:
        self.gate, self.paths, self.ca = gate, paths, ca
        self.done, self.failed, self.stop = 0, [], threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(tls, keep))
                        for tls in (True, False) for keep in (True, False)]

    def connect(self, tls: bool) -> http.client.HTTPConnection:
        if tls:
            context = ssl.create_default_context(cafile=self.ca)
            return http.client.HTTPSConnection("localhost", self.gate.port, timeout=60,
                                               context=context)
        return http.client.HTTPConnection("127.0.0.1", self.gate.http_port, timeout=60)

    def work(self, tls: bool, keep: bool) -> None:
        at = None
        while not self.stop.is_set():
            try:
                at = at or self.connect(tls)
                at.request("GET", self.paths[self.done % len(self.paths)])
                reply = at.getresponse()
                body = reply.read()
                if reply.status != 200 or len(body) != int(reply.headers["Content-Length"]):
                    raise AssertionError(f"status {reply.status}, {len(body)} bytes")
                self.done += 1
                if not keep or reply.headers.get("Connection") == "close":
                    at.close()
                    at = None
            except (OSError, http.client.HTTPException, AssertionError) as broken:
                self.failed.append((tls, keep, repr(broken)))
                at = None
        if at:
            at.close()

    def __enter__(self) -> "Load":
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for t in self.threads:
            t.join()
