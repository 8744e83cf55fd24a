#!/usr/bin/env python3
"""An upstream that answers recorded requests with the recorded bytes.

A request is recognised by path, SOAPAction and what its body says (soap.canonical), so that an
intermediary may spell it anew; one that differs is answered with the operation's next recording
and noted in `strays`.
"""
import argparse
import signal
import ssl
import threading
from collections import defaultdict

import coding
import corpus
import soap
from httpd import Reply, Request, Server, server_context


class ReplayUpstream:
    """mode: identity | chunked | gzip | xpress, as far as the caller accepts it."""

    def __init__(self, recorded: list[corpus.Recorded], cert: str = "", key: str = "", *,
                 mode: str = "identity", port: int = 0) -> None:
        self.mode = mode
        self.strays: list[str] = []
        self.unknown: list[str] = []
        self.coded: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._said: dict[tuple, bytes] = {}
        self._exact: dict[tuple, list[corpus.Recorded]] = defaultdict(list)
        self._order: dict[tuple, list[corpus.Recorded]] = defaultdict(list)
        for entry in recorded:
            place = entry.path, entry.action
            self._exact[(*place, _meaning(entry.request))].append(entry)
            self._order[place].append(entry)
        context: ssl.SSLContext | None = server_context(cert, key) if cert else None
        self.server = Server(self.handle, context, port)

    @property
    def url(self) -> str:
        scheme = "https" if self.server.context else "http"
        return f"{scheme}://localhost:{self.server.port}"

    def close(self) -> None:
        self.server.close()

    def __enter__(self) -> "ReplayUpstream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def say(self, path: str, operation: str, body: bytes) -> None:
        """The next request of this operation is answered so, whatever it asks."""
        with self._lock:
            self._said[path, soap.action(path, operation)] = body

    def handle(self, request: Request) -> Reply:
        path = next((p for p in soap.NAMESPACES if p.lower() == request.target.lower()), "")
        place = path, request.header("SOAPAction").strip('"')
        with self._lock:
            said = self._said.pop(place, None)
            entry = None if said else self._find(place, request)
        if said:
            return Reply(200, [("Content-Type", soap.CONTENT_TYPE)], said)
        if entry is None:
            return Reply(404)
        body, headers = entry.response, [("Content-Type", entry.response_headers["content-type"])]
        accepted = [c.strip() for c in request.header("Accept-Encoding").split(",")]
        if self.mode in ("gzip", "xpress") and self.mode in accepted:
            body = coding.encode(self.mode, body)
            headers.append(("Content-Encoding", self.mode))
            self.coded[self.mode] += 1
        return Reply(entry.status, headers, body, chunked=self.mode == "chunked")

    def _find(self, place: tuple, request: Request) -> corpus.Recorded | None:
        exact = self._exact.get((*place, _meaning(request.body)))
        if exact:
            return exact[0]
        order = self._order.get(place)
        if not order:
            self.unknown.append(f"{request.method} {request.target} {place[1]}")
            return None
        entry = order.pop(0)
        order.append(entry)
        self.strays.append(f"{entry.operation}: answered {entry.name} to another request")
        return entry


def _meaning(envelope: bytes) -> tuple:
    return soap.canonical(soap.body_of(envelope))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", choices=("C-wsusss-dialogue", "C-wusp"))
    parser.add_argument("--cert", default="")
    parser.add_argument("--key", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--coding", default="identity",
                        choices=("identity", "chunked", "gzip", "xpress"))
    options = parser.parse_args()
    with ReplayUpstream(corpus.dialogue(options.folder), options.cert, options.key,
                        mode=options.coding, port=options.port) as upstream:
        print(upstream.url, flush=True)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        stop.wait()


if __name__ == "__main__":
    main()
