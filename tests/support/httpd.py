"""A small threaded HTTP/1.1 server for tests: plain or TLS, every byte accounted for.

It keeps a record of each connection and request so that a test can say "no request byte ever came
here", and a reply can misbehave on purpose: be cut, reset, dribbled or never sent.
"""
import contextlib
import errno
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

CHUNK = 65536
REASONS = {200: "OK", 206: "Partial Content", 301: "Moved Permanently", 302: "Found",
           304: "Not Modified", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 416: "Range Not Satisfiable",
           500: "Internal Server Error", 503: "Service Unavailable"}


@dataclass
class Request:
    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    head: bytes
    body: bytes
    tls: bool

    def header(self, name: str, default: str = "") -> str:
        return next((v for k, v in self.headers if k.lower() == name.lower()), default)


@dataclass
class Reply:
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Iterable[bytes] = b""
    length: int | None = None    # announced length; needed for an iterable that is not chunked
    chunked: bool = False
    head_only: bool = False      # an answer to HEAD
    cut_at: int | None = None    # close orderly after so many body bytes
    reset_at: int | None = None  # reset after so many body bytes
    dribble: float = 0.0         # seconds between pieces of one byte
    hang: bool = False           # never answer


@dataclass
class Connection:
    peer: str
    tls: str = ""           # "TLSv1.3" once the handshake is done
    error: str = ""         # why the handshake failed
    app_bytes: int = 0      # application bytes received
    sent_bytes: int = 0     # body bytes sent
    requests: list[Request] = field(default_factory=list)


class _Gone(Exception):
    """The other side is gone, or we cut it off."""


def listen(port: int, patience: float = 10) -> socket.socket:
    """A port that was one's own before may be some connection's for a moment."""
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_server(("127.0.0.1", port), backlog=128)
        except OSError as e:
            if e.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise
            time.sleep(0.1)


class Server:
    """Listens on loopback; handler(request) -> Reply runs in the connection's thread."""

    def __init__(self, handler: Callable[[Request], Reply],
                 context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.handler = handler
        self.context = context
        self.connections: list[Connection] = []
        self.errors: list[str] = []
        self._log: list[Request] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._listener = listen(port)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        self.drop_connections()

    def drop_connections(self) -> None:
        """Cuts every open connection, kept-alive ones too."""
        with self._lock:
            opened = list(self._open)
        for sock in opened:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def requests(self) -> list[Request]:
        """All requests so far, in the order they came."""
        with self._lock:
            return list(self._log)

    def app_bytes(self) -> int:
        with self._lock:
            return sum(c.app_bytes for c in self.connections)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, peer = self._listener.accept()
            except OSError:
                return
            record = Connection(f"{peer[0]}:{peer[1]}")
            with self._lock:
                self.connections.append(record)
                self._open.add(sock)
            threading.Thread(target=self._serve, args=(sock, record), daemon=True).start()

    def _serve(self, sock: socket.socket, record: Connection) -> None:
        raw = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                sock.settimeout(20)
                sock = self.context.wrap_socket(sock, server_side=True)
                record.tls = sock.version() or ""
                with self._lock:
                    self._open.discard(raw)
                    self._open.add(sock)
            sock.settimeout(None)
            Exchange(self, sock, record).run()
        except (OSError, _Gone) as fault:
            if self.context is not None and not record.tls:
                record.error = str(fault)
        except Exception as bug:  # shown to the test; a stand-in must not fail silently
            self.errors.append(f"{type(bug).__name__}: {bug}")
            raise
        finally:
            with self._lock:
                self._open.discard(sock)
                self._open.discard(raw)
            sock.close()

    def note(self, record: Connection, request: Request) -> None:
        with self._lock:
            record.requests.append(request)
            self._log.append(request)

    @property
    def stopping(self) -> threading.Event:
        return self._stop


class Exchange:
    """The requests of one connection, one after the other."""

    def __init__(self, server: Server, sock: socket.socket, record: Connection) -> None:
        self.server, self.sock, self.record = server, sock, record
        self.buffer = b""

    def run(self) -> None:
        while not self.server.stopping.is_set():
            request = self._read()
            if request is None:
                return
            self.server.note(self.record, request)
            reply = self.server.handler(request)
            self._write(request, reply)
            if request.header("Connection").lower() == "close":
                return

    def _more(self) -> bool:
        data = self.sock.recv(CHUNK)
        self.record.app_bytes += len(data)
        self.buffer += data
        return bool(data)

    def _take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if not self._more():
                raise _Gone
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            if not self._more():
                raise _Gone
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _read(self) -> Request | None:
        while b"\r\n\r\n" not in self.buffer:
            if not self._more():
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        pairs = [(k, v.strip()) for k, _, v in (line.partition(":") for line in lines)]
        request = Request(method, target, version, pairs, head, b"", bool(self.record.tls))
        if request.header("Expect").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = self._body(request)
        return request

    def _body(self, request: Request) -> bytes:
        if request.header("Transfer-Encoding").lower() != "chunked":
            return self._take(int(request.header("Content-Length", "0")))
        body = b""
        while size := int(self._line(), 16):
            body += self._take(size)
            self._take(2)
        while self._line():
            pass
        return body

    def _write(self, request: Request, reply: Reply) -> None:
        if reply.hang:
            self.server.stopping.wait(600)
            raise _Gone
        lines = [f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Other')}"]
        lines += [f"{k}: {v}" for k, v in reply.headers]
        if reply.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif reply.length is not None:
            lines.append(f"Content-Length: {reply.length}")
        elif isinstance(reply.body, bytes):
            lines.append(f"Content-Length: {len(reply.body)}")
        else:
            raise ValueError("a reply of unknown length must be chunked")
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        if request.method == "HEAD" or reply.head_only:
            return
        sent = 0
        for piece in self._pieces(reply):
            self._limit(reply, sent)
            for stop in (reply.cut_at, reply.reset_at):
                if stop is not None:
                    piece = piece[:stop - sent]
            self._send_piece(reply, piece)
            sent += len(piece)
            self.record.sent_bytes += len(piece)
        self._limit(reply, sent)
        if reply.chunked:
            self.sock.sendall(b"0\r\n\r\n")

    def _pieces(self, reply: Reply) -> Iterable[bytes]:
        size = 1 if reply.dribble else CHUNK
        parts = [reply.body] if isinstance(reply.body, bytes) else reply.body
        for part in parts:
            for start in range(0, len(part), size):
                yield part[start:start + size]

    def _send_piece(self, reply: Reply, piece: bytes) -> None:
        if reply.chunked and piece:
            piece = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        self.sock.sendall(piece)
        if reply.dribble and self.server.stopping.wait(reply.dribble):
            raise _Gone

    def _limit(self, reply: Reply, sent: int) -> None:
        if reply.cut_at is not None and sent >= reply.cut_at:
            raise _Gone
        if reply.reset_at is not None and sent >= reply.reset_at:
            time.sleep(0.05)  # let what was sent arrive before the reset overtakes it
            raw = self.sock
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _Gone


def server_context(cert: str, key: str, *, oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
                   newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
                   client_ca: str | None = None) -> ssl.SSLContext:
    """As careless as OpenSSL can be made: being strict is the other side's business."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = oldest, newest
    context.load_cert_chain(cert, key)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
