"""What a service manager hears: ready, reloading, stopping, and that every loop is alive."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from scene import Scene


class Manager(Scene):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="sallyport-manager-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "notify"
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.ear.close)
        self.ear.bind(str(self.path))
        self.ear.settimeout(30)
        self.up = self.upstream(Catalogue(61, 10, 1))

    def start(self, **env: str):
        return self.gate(self.up, env={"NOTIFY_SOCKET": str(self.path), **env})

    def hear(self) -> dict[str, str]:
        return dict(x.split("=", 1) for x in self.ear.recv(4096).decode().split("\n"))

    def hear_until(self, key: str) -> dict[str, str]:
        while key not in (said := self.hear()):
            pass
        return said

    def test_life(self) -> None:
        gate = self.start()
        said = self.hear_until("READY")
        self.assertEqual(said["READY"], "1")
        self.assertIn("strict-2026", said["STATUS"])
        gate.signal(signal.SIGHUP)
        said = self.hear()
        self.assertEqual(said["RELOADING"], "1")
        self.assertGreater(int(said["MONOTONIC_USEC"]), 0)
        self.assertEqual(self.hear()["READY"], "1")
        gate.stop()
        self.assertEqual(self.hear()["STOPPING"], "1")

    def test_watchdog(self) -> None:
        gate = self.start(WATCHDOG_USEC="300000")
        for _ in range(5):
            self.hear_until("WATCHDOG")
        gate.stop()
        self.hear_until("STOPPING")

    def test_no_watchdog_for_another_process(self) -> None:
        gate = self.start(WATCHDOG_USEC="30000", WATCHDOG_PID="1")
        self.assertEqual(self.hear_until("READY")["READY"], "1")
        gate.stop()
        self.assertEqual(self.hear(), {"STOPPING": "1"})

    def test_a_manager_that_is_gone(self) -> None:
        os.unlink(self.path)
        gate = self.start(WATCHDOG_USEC="30000")
        self.assertEqual(gate.health(), 200)

    def test_without_a_manager(self) -> None:
        for path in ("", "relative", "/" + "x" * 200):
            with self.subTest(path):
                self.assertEqual(self.gate(self.up, env={"NOTIFY_SOCKET": path}).health(), 200)


class Unit(unittest.TestCase):
    """The unit is as strict as the strictest peers' (dnsdist, chrony: 1.5 to 2.5)."""

    def test_exposure(self) -> None:
        if not shutil.which("systemd-analyze"):
            print("SKIPPED: no systemd-analyze is installed")
            self.skipTest("no systemd-analyze")
        unit = Path(os.environ["SALLYPORT_SOURCE"]) / "scripts/systemd/sallyport.service.in"
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "sallyport.service"
            copy.write_text(unit.read_text().replace("@CMAKE_INSTALL_PREFIX@", "/usr"))
            done = subprocess.run(["systemd-analyze", "security", "--offline=true",
                                   "--threshold=13", copy], capture_output=True, text=True,
                                  check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])


if __name__ == "__main__":
    unittest.main()
