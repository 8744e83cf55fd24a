"""Who reads slowly costs no more memory than who reads as fast as he can: what he does not take
stays in the file."""
import contextlib
import socket
import ssl
import time
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
from gate import is_sanitized
from scene import Scene

SIZE, READERS = 16 << 20, 24
EACH = 256 << 10  # what a transfer may take
NOISE = 1 << 20   # of everything else meanwhile


class SlowReaders(Scene):
    def setUp(self) -> None:
        if is_sanitized():
            print("SKIPPED: a sanitizer's memory is not the program's")
            raise unittest.SkipTest("sanitized")
        self.made = catalogue.Catalogue(77, 30, 2, big=SIZE)
        self.up = self.upstream(self.made)
        self.door = self.gate(self.up)
        self.server = self.downstream(self.door)
        claims = self.server.sync().claims.values()
        self.claim = max(claims, key=lambda c: c.size)
        self.assertEqual(self.claim.size, SIZE)
        self.server.download(self.claim)

    def held(self) -> int:
        """Bytes that the program has of its own."""
        lines = Path(f"/proc/{self.door.process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Anonymous:"))

    def begin(self, tls: bool, request: bytes) -> socket.socket:
        """Has asked, and begun to read what comes."""
        bare = socket.socket()
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        bare.settimeout(60)
        bare.connect(("127.0.0.1", self.door.port if tls else self.door.http_port))
        sock = bare
        if tls:
            context = ssl.create_default_context(cafile=self.pki.ca)
            sock = context.wrap_socket(bare, server_hostname="localhost")
        self.addCleanup(sock.close)
        sock.sendall(request)
        self.assertTrue(sock.recv(12).startswith(b"HTTP/1.1 200"))
        return sock

    def get(self) -> bytes:
        return f"GET {self.claim.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    def most_while(self, readers: list[socket.socket], each: int) -> int:
        """The most that is held while they read so many bytes, all of them in turn."""
        most, left = self.held(), {sock: each for sock in readers}
        while left:
            for sock in list(left):
                left[sock] -= len(sock.recv(1 << 20))
                if left[sock] <= 0:
                    del left[sock]
            most = max(most, self.held())
        return most

    def assert_no_dearer(self, tls: bool) -> None:
        before = self.held()
        with contextlib.ExitStack() as open_ones:
            fast = [open_ones.enter_context(self.begin(tls, self.get())) for _ in range(READERS)]
            quick = self.most_while(fast, 1 << 20)
        slow = 0
        with contextlib.ExitStack() as open_ones:
            for _ in range(READERS):
                open_ones.enter_context(self.begin(tls, self.get()))
            for _ in range(10):
                time.sleep(0.1)
                slow = max(slow, self.held())
        self.assertLess(slow, quick + NOISE)
        self.assertLess(slow, before + READERS * EACH)

    def test_a_file_over_tls(self) -> None:
        self.assert_no_dearer(tls=True)

    def test_a_file_over_plain_http(self) -> None:
        self.assert_no_dearer(tls=False)


if __name__ == "__main__":
    unittest.main()
