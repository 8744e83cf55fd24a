"""Started as root, the daemon becomes an account that may do little, for good; and nobody reads its
memory, neither in a core file nor beside it."""
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import signer
from catalogue import Catalogue
from gate import Gate, binary, hang_up, is_sanitized, wait_until
from scene import Scene

CONFIG = 78
ACCOUNT = "nobody"


def status_of(pid: int) -> dict[str, list[str]]:
    """/proc/PID/status, a list of words a line."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, rest in (line.split(":", 1) for line in lines)}


def privileged_port() -> int:
    for port in range(1023, 200, -1):
        try:
            socket.create_server(("127.0.0.1", port)).close()
            return port
        except OSError:
            continue
    raise OSError("no free port below 1024")


def as_account(call) -> int:
    """What call gives in a child that is the account: 0 for True, 1 for False; 2 when it fails."""
    if (pid := os.fork()) == 0:
        code = 2
        try:
            account = pwd.getpwnam(ACCOUNT)
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            code = 0 if call() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Privileges(Scene):
    def setUp(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("SKIPPED: it takes root to give something up")
        self.account = pwd.getpwnam(ACCOUNT)
        self.room = Path(tempfile.mkdtemp(prefix="sallyport-user-"))
        self.addCleanup(shutil.rmtree, self.room, ignore_errors=True)
        self.room.chmod(0o755)
        self.up = self.upstream(Catalogue(7, 20, 5))

    def made(self, start: bool = True, **settings) -> Gate:
        """Everything where the account can read it; the folders are its own."""
        gate = Gate(self.up.url, self.pki, directory=Path(tempfile.mkdtemp(dir=self.room)),
                    **{"user": ACCOUNT, **settings})
        self.addCleanup(gate.close)
        gate.directory.chmod(0o755)
        for tree in (gate.config.parent, self.pki.directory.parent,
                     Path(signer.make().pins).parent):
            for path in (tree, *tree.rglob("*")):
                path.chmod(0o755)
        for path in (gate.state_dir, gate.cache_dir):
            os.chown(path, self.account.pw_uid, self.account.pw_gid)
        return gate.start() if start else gate

    def refused(self, gate: Gate, user: int | None = None) -> str:
        done = subprocess.run([binary(), "run", "-c", gate.config], capture_output=True, text=True,
                              timeout=30, user=user, extra_groups=[], check=False)
        self.assertEqual(done.returncode, CONFIG, done.stderr)
        return done.stderr

    # ---- what is given up -----------------------------------------------------------------

    def test_nothing_is_left(self) -> None:
        gate = self.made(start=False)
        gate.port = privileged_port()
        gate.write_config()
        gate.start()
        status = status_of(gate.process.pid)
        self.assertEqual(status["Uid"], [str(self.account.pw_uid)] * 4)
        self.assertEqual(status["Gid"], [str(self.account.pw_gid)] * 4)
        self.assertEqual(status["Groups"], [str(self.account.pw_gid)])
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[name][0], 16), 0, name)
        self.assertEqual(status["NoNewPrivs"], ["1"])
        for task in Path(f"/proc/{gate.process.pid}/task").iterdir():
            self.assertEqual(status_of(int(task.name))["Uid"], status["Uid"], task.name)
        self.assertTrue(self.downstream(gate).sync().claims)
        found = [gate.state_dir, gate.cache_dir, *gate.state_dir.rglob("*")]
        self.assertEqual({p.stat().st_uid for p in found}, {self.account.pw_uid})
        self.assertIn("user", [e["event"] for e in gate.log()])
        gate.restart()
        self.assertEqual(gate.health(), 200)

    def test_missing_folders_are_made(self) -> None:
        gate = self.made(start=False)
        for path in (gate.state_dir, gate.cache_dir):
            path.rmdir()
        gate.start()
        for path in (gate.state_dir, gate.cache_dir):
            self.assertEqual(path.stat().st_uid, self.account.pw_uid)
            self.assertEqual(path.stat().st_mode & 0o777, 0o700)

    def test_folders_of_somebody_else(self) -> None:
        """As root would have left them; the command that is named mends it."""
        gate = self.made(start=False, user="root")
        gate.start()
        gate.stop()
        gate.write_config(user=ACCOUNT)
        for path in (gate.state_dir, gate.cache_dir):
            told = self.refused(gate)
            self.assertIn(f"chown -R {ACCOUNT}:nogroup {path}", told)
            subprocess.run(re.search(r"chown -R \S+ \S+", told)[0].split(), check=True)
        gate.start()

    def test_accounts_that_cannot_be(self) -> None:
        gate = self.made(start=False, user="no-such-account")
        self.assertIn("useradd", self.refused(gate))
        gate.write_config(user=ACCOUNT, group="no-such-group")
        self.assertIn("no such group", self.refused(gate))
        gate.write_config(user="root", group="")
        self.assertIn("neither root nor root", self.refused(gate, self.account.pw_uid))

    def test_another_group(self) -> None:
        gate = self.made(group="daemon")
        self.assertEqual(status_of(gate.process.pid)["Gid"], ["1"] * 4)

    # ---- what comes later -----------------------------------------------------------------

    def test_reload_and_take_over(self) -> None:
        """What only root reads is refused, and a daemon that root starts takes over with it."""
        gate = self.made(start=False)
        key = gate.config.parent / "only-root.key"
        shutil.copy(self.pki.pair("sallyport")[1], key)
        key.chmod(0o600)
        text = gate.config_text().replace(self.pki.pair("sallyport")[1], str(key))
        gate.config.write_text(text)
        gate.start()
        self.assertTrue(any(e["event"] == "not_for_reload" and str(key) in str(e)
                            for e in gate.log()), gate.tail())
        hang_up(gate)
        wait_until("the refusal", lambda: "reload_refused" in gate.log_text())
        self.assertIn(f"cannot read {key}: Permission denied", gate.log_text())
        self.assertTrue(self.downstream(gate).sync().claims, "the old one serves")
        old = gate.process
        with gate.log_path.open("ab") as log:
            gate.process = subprocess.Popen(
                [binary(), "run", "-c", gate.config, "--take-over"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=gate._environment())
        self.assertEqual(old.wait(60), 0)
        wait_until("the new one", lambda: gate.log_text().count('"ready"') == 2)
        self.assertEqual(status_of(gate.process.pid)["Uid"], [str(self.account.pw_uid)] * 4)
        self.assertTrue(self.downstream(gate).sync().claims)
        os.chown(key, self.account.pw_uid, -1)
        hang_up(gate)
        wait_until("the reload", lambda: '"reloaded"' in gate.log_text())

    # ---- what nobody reads ----------------------------------------------------------------

    def readable(self, pid: int) -> int:
        def look() -> bool:
            try:
                with open(f"/proc/{pid}/mem", "rb"):
                    return True
            except PermissionError:
                return False
        return as_account(look)

    def test_memory_is_hidden_from_its_own_user(self) -> None:
        if is_sanitized():
            self.skipTest("SKIPPED: sanitizers run without the sandbox")
        self.assertEqual(self.readable(self.made().process.pid), 1)

    def aborted(self, **settings) -> bool:
        """Whether a daemon that may dump core does so."""
        gate = self.made(start=False, **settings)
        work = Path(tempfile.mkdtemp(dir=self.room))
        work.chmod(0o777)
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

        def arrange() -> None:
            os.chdir(work)
            resource.setrlimit(resource.RLIMIT_CORE, unlimited)

        gate._limit_files = arrange
        gate.start()
        os.kill(gate.process.pid, signal.SIGABRT)
        status = os.waitpid(gate.process.pid, 0)[1]
        gate.process.returncode, gate.process = 0, None
        self.assertEqual(os.WTERMSIG(status), signal.SIGABRT)
        return os.WCOREDUMP(status) or any(work.iterdir())

    def test_no_core(self) -> None:
        if is_sanitized():
            self.skipTest("SKIPPED: sanitizers run without the sandbox")
        self.assertFalse(self.aborted())
        if not self.aborted(sandbox="off", user="root"):
            print("SKIPPED: this machine writes no core files at all")


if __name__ == "__main__":
    unittest.main()
