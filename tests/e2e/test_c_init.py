"""`sallyport init`: from an upstream's address to a gate a downstream server synchronises through."""
import os
import pty
import pwd
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from downstream import Downstream
from gate import binary, free_ports, run
from scene import Scene

OK, USAGE, UNREACHED, EXISTS, CANCELLED, CONFIG = 0, 64, 69, 73, 75, 78


class Init(Scene):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="sallyport-init-")
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.dir = self.home / "etc"
        self.catalogue = Catalogue(41, 40, 6)
        self.up = self.upstream(self.catalogue)
        self.port = free_ports(3) + 1

    def words(self, *more: str) -> list[str]:
        return ["init", "--upstream", self.up.url.removeprefix("https://"), "--names", "localhost",
                "--port", str(self.port), "--dir", str(self.dir), *more]

    def init(self, *more: str) -> subprocess.CompletedProcess:
        return run(*self.words(*more))

    def start(self) -> None:
        process = subprocess.Popen([binary(), "run", "-c", self.dir / "sallyport.conf"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)

        def stop() -> None:
            process.terminate()
            process.communicate(timeout=30)
        self.addCleanup(stop)
        for line in process.stderr:
            if '"ready"' in line:
                return
            self.assertNotIn('"error"', line)
        self.fail("it did not start")

    def assert_nothing_written(self) -> None:
        self.assertEqual(list(self.dir.rglob("*.conf")), [])

    def test_first_hour(self) -> None:
        done = self.init("--ca", str(self.pki.ca), "--yes")
        self.assertEqual((done.returncode, done.stderr), (OK, ""), done.stdout)
        for word in ("Set-WsusServerSynchronization -UssServerName localhost `",
                     f"https://localhost:{self.port}", "UpdateServiceUrlAlternate",
                     "gate-ca.pem"):
            self.assertIn(word, done.stdout)
        steps = done.stdout.partition("is written")[2].splitlines()
        self.assertLessEqual(max(len(x) for x in steps if str(self.dir) not in x), 80, steps)
        for key in self.dir.rglob("*.key"):
            self.assertEqual(key.stat().st_mode & 0o777, 0o600, key)
        self.start()
        server = Downstream(f"https://localhost:{self.port}", self.dir / "tls" / "gate-ca.pem",
                            content=f"http://localhost:{self.port - 1}")
        self.addCleanup(server.close)
        self.assert_synced(self.catalogue, server.sync())

    def test_a_folder_for_a_group(self) -> None:
        """As the package has it: root sets up, and the daemon's account reads what is for it."""
        if os.geteuid() != 0:
            self.skipTest("SKIPPED: it takes root to give files to a group")
        nobody = pwd.getpwnam("nobody")
        self.home.chmod(0o755)
        self.dir.mkdir(mode=0o750)
        os.chown(self.dir, 0, nobody.pw_gid)
        self.assertEqual(self.init("--ca", str(self.pki.ca), "--yes").returncode, OK)
        for name in ("state", "cache"):  # the package made them, for the account
            os.chown(self.dir / name, nobody.pw_uid, nobody.pw_gid)
        check = [binary(), "config", "check", "-c", self.dir / "sallyport.conf"]
        done = subprocess.run(check, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, OK, done.stderr)
        modes = {p.name: (p.stat().st_mode & 0o777, p.stat().st_gid) for p in self.dir.rglob("*.key")}
        self.assertEqual(modes["gate.key"], (0o640, nobody.pw_gid))
        self.assertEqual(modes["gate-ca.key"], (0o600, 0))
        done = subprocess.run(check, user=nobody.pw_uid, group=1, extra_groups=[],
                              capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, OK, "nobody else does")

    def test_a_second_time_changes_nothing(self) -> None:
        self.assertEqual(self.init("--ca", str(self.pki.ca), "--yes").returncode, OK)
        before = {p: p.read_bytes() for p in self.dir.rglob("*") if p.is_file()}
        done = self.init("--ca", str(self.pki.ca), "--yes")
        self.assertEqual(done.returncode, EXISTS)
        self.assertEqual(done.stdout, "", "the upstream is not met for nothing")
        self.assertIn("--dir", done.stderr)
        self.assertIn("sallyport.conf is there already", done.stderr)
        self.assertEqual({p: p.read_bytes() for p in self.dir.rglob("*") if p.is_file()}, before)

    def test_request_for_another_ca(self) -> None:
        done = self.init("--ca", str(self.pki.ca), "--yes", "--request")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn("certreq -submit", done.stdout)
        shown = subprocess.run(["openssl", "req", "-in", self.dir / "tls" / "gate.csr", "-noout",
                                "-verify", "-text"], capture_output=True, text=True, check=True)
        self.assertIn("DNS:localhost", shown.stdout)
        checked = run("config", "check", "-c", str(self.dir / "sallyport.conf"))
        self.assertEqual(checked.returncode, CONFIG, "the certificate is still to come")
        self.assertIn("gate.pem", checked.stderr)

    def test_a_given_certificate(self) -> None:
        cert, key = self.pki.pair("sallyport")
        done = self.init("--ca", str(self.pki.ca), "--yes", "--certificate", str(cert),
                         "--key", str(key))
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertFalse((self.dir / "tls" / "gate.key").exists())

    def test_what_is_missing_is_named(self) -> None:
        for words, pattern in (
                (["init", "--yes"], "--upstream"),
                (["init", "--upstream", "http://wsus:8530"], "Plain HTTP is not spoken"),
                (["init", "--upstream", "https://wsus:8531/Content"], "has a path"),
                (self.words("--ca", str(self.pki.ca)), "--yes"),
                (self.words("--yes"), "--ca FILE is needed"),
                (self.words("--port", "1"), "--port is 2 to 65534"),
                (self.words("--key", "x"), "go together"),
                (["init", "word"], "options only")):
            with self.subTest(words):
                done = run(*words)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertIn(pattern, done.stderr)
                self.assert_nothing_written()

    def test_an_upstream_that_cannot_prove_itself(self) -> None:
        other = self.home / "other.pem"
        self.assertEqual(run("init", "--upstream", f"localhost:{free_ports(1)}", "--yes", "--dir",
                             str(self.dir)).returncode, UNREACHED)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-out", other,
                        "-subj", "/CN=another"], capture_output=True, check=True)
        done = self.init("--ca", str(other), "--yes")
        self.assertEqual(done.returncode, UNREACHED, done.stderr)
        self.assert_nothing_written()

    def terminal(self) -> tuple[int, int]:
        try:
            return pty.openpty()
        except OSError as error:
            print(f"SKIPPED: no terminal can be had here: {error}")
            raise unittest.SkipTest("no terminal") from None

    def test_questions_on_a_terminal(self) -> None:
        for answer, status in (("no", CANCELLED), ("yes", OK)):
            with self.subTest(answer):
                master, slave = self.terminal()
                process = subprocess.Popen(
                    [binary(), *self.words("--ca", str(self.pki.ca))], stdin=slave, stdout=slave,
                    stderr=subprocess.PIPE)
                os.close(slave)
                said = b""
                while b"yes or no" not in said:
                    said += os.read(master, 4096)
                os.write(master, answer.encode() + b"\n")
                try:
                    while more := os.read(master, 4096):
                        said += more
                except OSError:
                    pass  # the terminal is gone with the program
                errors = process.communicate(timeout=30)[1]
                os.close(master)
                self.assertEqual(process.returncode, status, errors)
                self.assertIn(b"sha256//", said)
                self.assertEqual((self.dir / "sallyport.conf").exists(), status == OK)


if __name__ == "__main__":
    unittest.main()
