"""Few file descriptors, many askers: what cannot be served now is served later, and nobody spins."""
import os
import socket
import time
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
from gate import wait_until
from scene import Scene


class Descriptors(Scene):
    FILES = 96

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(141, 200, 150, big=0)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up, files=self.FILES, workers=1)
        self.server = self.downstream(self.door)

    def open_files(self) -> int:
        assert self.door.process is not None
        return len(list(Path(f"/proc/{self.door.process.pid}/fd").iterdir()))

    def test_served_files_do_not_use_them_up(self) -> None:
        claims = list(self.server.sync().claims.values())
        self.assertGreater(len(claims), self.FILES)
        for _ in range(2):
            for claim in claims:
                self.server.download(claim)
        self.assertLess(self.open_files(), self.FILES - 16)

    def test_more_connections_than_descriptors(self) -> None:
        held = []
        for _ in range(2 * self.FILES):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.door.http_port))
            held.append(sock)
        time.sleep(0.5)
        before = self.cpu()
        time.sleep(1.0)
        self.assertLess(self.cpu() - before, 0.5, "it spins")
        for sock in held:
            sock.close()
        wait_until("health", lambda: self.door.health() == 200)
        self.server.sync()
        self.assertGreater(self.door.metric("sallyport_connections_refused_total",
                                            reason="descriptors"), 0)
        self.assertIn("descriptors", [e["limit"] for e in self.door.log()
                                      if e["event"] == "turned_away"])

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        assert self.door.process is not None
        fields = Path(f"/proc/{self.door.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
