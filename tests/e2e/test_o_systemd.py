"""The units: systemd understands them, they are as strict as they are meant to be, they leave what the
daemon's own sandbox needs, and a socket that systemd opened is served."""
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from gate import binary, wait_until
from pki import SOURCE
from scene import Scene

UNITS = SOURCE / "scripts" / "systemd"
STRICTEST = 15  # tenths of "exposure"; a unit without hardening has 96
HARDENED = """NoNewPrivileges=yes ProtectSystem=strict ProtectHome=yes ProtectProc=invisible
    ProtectClock=yes ProtectHostname=yes ProtectControlGroups=yes ProtectKernelLogs=yes
    ProtectKernelModules=yes ProtectKernelTunables=yes PrivateTmp=yes PrivateDevices=yes
    RestrictNamespaces=yes RestrictRealtime=yes RestrictSUIDSGID=yes LockPersonality=yes
    MemoryDenyWriteExecute=yes CapabilityBoundingSet= AmbientCapabilities= UMask=0077
    StateDirectory=sallyport CacheDirectory=sallyport ConfigurationDirectory=sallyport
    SystemCallArchitectures=native LimitCORE=0 Type=notify WatchdogSec=60""".split()
# by which the daemon confines itself, locks its keys, and hides its memory
NEEDED = {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "prctl",
          "mlock2", "prlimit64", "openat2", "clone", "clone3"}


def tool(name: str) -> str:
    path = shutil.which(name)
    if not path:
        print(f"SKIPPED: {name} is not installed")
        raise unittest.SkipTest(name)
    return path


def settings(text: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


class Units(unittest.TestCase):
    def setUp(self) -> None:
        room = tempfile.TemporaryDirectory(prefix="sallyport-units-")
        self.addCleanup(room.cleanup)
        self.service = Path(room.name) / "sallyport.service"
        text = (UNITS / "sallyport.service.in").read_text()
        self.service.write_text(text.replace("@CMAKE_INSTALL_PREFIX@/bin/sallyport", binary()))
        self.text = self.service.read_text()
        self.socket = Path(shutil.copy(UNITS / "sallyport.socket", room.name))

    def analyze(self, *words: object) -> str:
        done = subprocess.run([tool("systemd-analyze"), *map(str, words)], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_systemd_understands_them(self) -> None:
        drop_in = self.service.with_suffix(".service.d")
        drop_in.mkdir()
        shutil.copy(UNITS / "credentials.conf", drop_in)
        said = self.analyze("verify", "--man=no", self.service, self.socket)
        self.assertEqual([line for line in said.splitlines() if "sallyport" in line], [])
        self.service.write_text(self.text + "\nFrobnicate=yes\n")
        done = self.analyze("verify", "--man=no", self.service)
        self.assertIn("Frobnicate", done, "it sees what is wrong")

    def test_it_is_strict(self) -> None:
        lines = set(self.text.splitlines())
        self.assertEqual([s for s in HARDENED if s not in lines], [])
        self.analyze("security", "--offline=true", f"--threshold={STRICTEST}", self.service)

    def group(self, name: str) -> set[str]:
        """The calls of a group, with those of the groups in it."""
        words = self.analyze("syscall-filter", name).split("\n", 2)[2].split()
        calls = {w for w in words if w[0] != "@"}
        return calls.union(*(self.group(w) for w in words if w[0] == "@"))

    def test_the_own_sandbox_is_left_its_calls(self) -> None:
        allowed: set[str] = self.group("@default")
        for line in settings(self.text, "SystemCallFilter"):
            words = line.removeprefix("~").split()
            calls = set().union(*(self.group(w) if w[0] == "@" else {w} for w in words))
            allowed = allowed - calls if line[0] == "~" else allowed | calls
        self.assertEqual(NEEDED - allowed, set())
        self.assertNotIn("mount", allowed)

    def test_the_sockets_are_those_of_init(self) -> None:
        made = settings(self.socket.read_text(), "ListenStream")
        self.assertEqual(made, ["0.0.0.0:8531", "0.0.0.0:8530"])
        manual = (SOURCE / "README.md").read_text()
        for address in made:
            self.assertIn(f'bind = "{address}"', manual)


class Activation(Scene):
    def test_who_comes_first_is_served(self) -> None:
        """systemd opens the port, somebody connects, and the daemon is started for that."""
        activate = tool("systemd-socket-activate")
        gate = self.gate(self.upstream(Catalogue(5, 10, 2)))
        gate.stop()
        command = [activate, "-l", f"127.0.0.1:{gate.http_port}", "-l", f"127.0.0.1:{gate.port}",
                   binary(), "run", "-c", str(gate.config)]
        with gate.log_path.open("wb") as log:
            gate.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=gate._environment())
        wait_until("the socket", lambda: "Listening on" in gate.log_text())
        with socket.create_connection(("127.0.0.1", gate.http_port), 30) as first:
            first.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(first.recv(4096).startswith(b"HTTP/1.1 404 "))
        wait_until("the daemon", lambda: gate.health() == 200)
        self.assertTrue(self.downstream(gate).sync().claims)
        self.assertNotIn("sockets_closed", gate.log_text())


if __name__ == "__main__":
    unittest.main()
