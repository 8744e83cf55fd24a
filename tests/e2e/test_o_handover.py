"""A daemon takes the place of another, by itself or with a service manager's help: under load nobody
notices, and what cannot be taken over harms nobody."""
import array
import os
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from gate import Gate, binary, wait_until
from load import Load
from scene import Scene

UNAVAILABLE, CONFIG = 69, 78


def port_of(fd: int) -> int:
    with socket.socket(fileno=os.dup(fd)) as s:
        return s.getsockname()[1]


class Handover(Scene):
    def loaded_gate(self, **settings) -> tuple[Gate, Load]:
        catalogue = Catalogue(17, 20, 6)
        gate = self.gate(self.upstream(catalogue), **settings)
        claims = self.downstream(gate).sync().claims
        paths = [c.path for c in claims.values()]
        wire = self.wire(gate.http_url)
        for path in paths:
            self.assertEqual(wire.ask("GET", path).status, 200)
        return gate, Load(gate, paths, self.pki.ca)

    def successor(self, gate: Gate, *more: str) -> subprocess.Popen:
        with gate.log_path.open("ab") as log:
            return subprocess.Popen([binary(), "run", "-c", gate.config, "--take-over", *more],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env=gate._environment())

    def test_nobody_notices(self) -> None:
        gate, load = self.loaded_gate(workers=2)
        entries = gate.status()["ledger"]["entries"]
        with load:
            for _ in range(3):
                before = load.done
                time.sleep(0.3)
                old = gate.process
                gate.process = self.successor(gate)
                self.assertEqual(old.wait(60), 0)
                deadline = time.monotonic() + 60
                while load.done < before + 50 or "ready" not in gate.tail():
                    self.assertLess(time.monotonic(), deadline, gate.tail())
                    time.sleep(0.02)
        self.assertEqual(load.failed, [])
        self.assertGreater(load.done, 200)
        self.assertGreaterEqual(gate.status()["ledger"]["entries"], entries)
        self.assertEqual([x["event"] for x in gate.log()].count("handed_over"), 3)

    def test_a_wrong_configuration_takes_nothing(self) -> None:
        gate, load = self.loaded_gate()
        good = gate.config.read_text()
        gate.config.write_text(good + "\nfrobnicate = 1\n")
        self.assertEqual(self.successor(gate).wait(60), CONFIG)
        gate.config.write_text(good)
        self.assertEqual(gate.health(), 200)
        self.assertIsNone(gate.process.poll())

    def test_nobody_to_take_over_from(self) -> None:
        gate, load = self.loaded_gate()
        gate.stop()
        self.assertEqual(self.successor(gate).wait(60), UNAVAILABLE)
        self.assertIn("start without --take-over", gate.log_text())
        Path(gate.log_path).write_text("")
        gate.start()

    def test_somebody_else_gets_nothing(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("it takes root to be somebody else")
        gate, load = self.loaded_gate()
        state = os.stat(gate.state_dir)
        name = f"\0sallyport/{state.st_dev:x}/{state.st_ino:x}"
        pid = os.fork()
        if pid == 0:
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                s.settimeout(30)
                s.connect(name)
                os._exit(0 if s.recv(16) == b"" else 1)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertEqual(gate.health(), 200)
        wait_until("the log", lambda: "handover_refused" in gate.log_text())


class Manager(Scene):
    """What a service manager holds open, and is given to hold."""

    def setUp(self) -> None:
        room = tempfile.TemporaryDirectory()
        self.addCleanup(room.cleanup)
        self.path = Path(room.name) / "notify"
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.ear.close)
        self.ear.bind(str(self.path))
        self.ear.settimeout(30)

    def kept(self) -> list[int]:
        """The descriptors it gives away, when it is ready."""
        fds: list[int] = []
        while True:
            text, control, *_ = self.ear.recvmsg(4096, 4096)
            for level, kind, data in control:
                numbers = array.array("i")
                numbers.frombytes(data)
                fds += numbers
            if b"FDSTORE=1" in text:
                self.assertIn(b"FDNAME=sallyport", text)
            if b"READY=1" in text:
                return fds

    def test_restart(self) -> None:
        gate = self.gate(self.upstream(Catalogue(5, 10, 2)),
                         env={"NOTIFY_SOCKET": str(self.path)}, workers=2)
        fds = self.kept()
        ports = sorted(map(port_of, fds))
        self.assertEqual(ports, sorted([gate.port, gate.http_port] * 2 + [gate.admin_port]))
        gate.stop()
        waiting = socket.create_connection(("127.0.0.1", gate.http_port), timeout=30)
        waiting.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        inherit = [binary(), "run", "-c", str(gate.config)]
        script = f'LISTEN_PID=$$ LISTEN_FDS={len(fds)} exec "$@"'

        def arrange() -> None:
            for i, fd in enumerate([os.dup(fd) for fd in fds]):
                os.dup2(fd, 100 + i)
            for i in range(len(fds)):
                os.dup2(100 + i, 3 + i)

        with gate.log_path.open("ab") as log:
            gate.process = subprocess.Popen(
                ["sh", "-c", script, "sh", *inherit], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=gate._environment(), preexec_fn=arrange, close_fds=False)
        self.assertEqual(len(self.kept()), len(fds))
        self.assertTrue(waiting.recv(4096).startswith(b"HTTP/1.1 404 "))
        waiting.close()
        for fd in fds:
            os.close(fd)
        self.assertEqual(gate.health(), 200)
        self.assertNotIn("sockets_closed", gate.log_text())


if __name__ == "__main__":
    unittest.main()
