"""Askers that leave, and signals that come, at the worst moment. Meant for a sanitizer build: what
is freed too early shows there."""
import contextlib
import signal
import socket
import struct
import threading
import time
import unittest

import harness  # noqa: F401

import catalogue
import soap
from gate import wait_until
from scene import Scene


def leave(port: int, data: bytes) -> None:
    """Sends data and resets the connection at once."""
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(ConnectionError):  # there was no place for it
            sock.sendall(data)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: gate\r\n\r\n".encode()


class Leaving(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(131, 60, 25, big=3 << 20)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up)
        self.server = self.downstream(self.door)
        self.claims = sorted(self.server.sync().claims.values(), key=lambda c: c.size)

    def hold(self) -> threading.Thread:
        """Somebody whose download takes some seconds."""
        self.up.hostile.pace = 1.0
        asker = threading.Thread(target=leave_late, args=(self.door, self.claims[-1].path))
        asker.start()
        self.addCleanup(asker.join)
        wait_until("the transfer", lambda: any(
            r.target == self.claims[-1].path for r in self.up.content_requests()))
        return asker

    def test_between_look_up_and_answer(self) -> None:
        for _ in range(20):
            for claim in self.claims[:10]:
                leave(self.door.http_port, get(claim.path))
        wait_until("a place", self.has_place)
        self.server.download(self.claims[0])

    def has_place(self) -> bool:
        """An address has 64 places, and who left keeps his until the server sees it, which a
        sanitizer delays."""
        try:
            with socket.create_connection(("127.0.0.1", self.door.http_port), 5) as sock:
                sock.sendall(get("/nothing/here"))
                return sock.recv(1) != b""
        except ConnectionResetError:
            return False

    def test_reload_while_draining(self) -> None:
        """The TLS listener is gone at once, the plain one is busy: nothing may touch the former."""
        asker = self.hold()
        self.door.signal(signal.SIGTERM)
        wait_until("the drain", lambda: any(e["event"] == "draining" for e in self.door.log()))
        time.sleep(0.2)
        self.door.signal(signal.SIGHUP)
        asker.join()
        self.assertEqual(self.door.ended(), 0)
        self.assertIn("reload_refused", [e["event"] for e in self.door.log()])

    def test_stop_while_fills_begin(self) -> None:
        for _ in range(5):
            for claim in self.claims[:-1]:
                leave(self.door.http_port, get(claim.path))
            self.door.restart()


def leave_late(door, path: str) -> None:
    with socket.create_connection(("127.0.0.1", door.http_port), 30) as sock:
        sock.sendall(get(path))
        sock.settimeout(30)
        try:
            while sock.recv(65536):
                pass
        except OSError:
            pass


if __name__ == "__main__":
    unittest.main()
