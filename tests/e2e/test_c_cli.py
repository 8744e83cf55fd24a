"""Commands, exit codes, and what a wrong configuration is told."""
import os
import re
import subprocess
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
from gate import Gate, run
from pki import make
from scene import Scene

OK, REFUSED, USAGE, DATA, NO_INPUT, CONFIG = 0, 1, 64, 65, 66, 78


class Usage(unittest.TestCase):
    def test_version_and_help(self) -> None:
        done = run("version")
        self.assertEqual(done.returncode, OK)
        self.assertRegex(done.stdout, r"^sallyport \d+\.\d+\.\d+")
        for words in (("help",), ("--help",)):
            done = run(*words)
            self.assertEqual(done.returncode, OK)
            for command in ("run", "config", "pin", "status", "ledger", "verify", "version"):
                self.assertIn(command, done.stdout)

    def test_wrong_usage(self) -> None:
        for words in ((), ("frobnicate",), ("run", "--frobnicate"), ("config", "frobnicate"),
                      ("ledger",), ("ledger", "show"), ("ledger", "show", "x"), ("pin",)):
            with self.subTest(words):
                done = run(*words)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertTrue(done.stderr)


    def test_the_first_mistakes(self) -> None:
        """Each says what to do next, in lines as wide as the terminal."""
        env = {k: v for k, v in os.environ.items() if k not in ("LANG", "LANGUAGE", "LC_ALL")}
        for words, code, parts in (
                (("config",), USAGE, ("  sallyport config check\n", "  sallyport config dump\n")),
                (("config", "check", "-c", "/nonexistent/file"), NO_INPUT,
                 ("/nonexistent/file", "sallyport init", "-c FILE")),
                (("init", "--upstream", "localhost:1", "--yes", "--dir", "/nonexistent/dir", "--names",
                  "x"), 69, ("localhost:1", "sallyport doctor localhost:1"))):
            with self.subTest(words):
                done = run(*words, env={**env, "COLUMNS": "60"})
                self.assertEqual((done.returncode, done.stdout), (code, ""))
                for part in parts:
                    self.assertIn(part, done.stderr)
                self.assertLessEqual(max(map(len, done.stderr.splitlines())), 60)


class Completion(unittest.TestCase):
    """What a shell offers is what the program has."""

    def offered(self, *words: str) -> set[str]:
        script = run("completion", "bash").stdout + f"""
COMP_WORDS=(sallyport {" ".join(words)} "")
COMP_CWORD={len(words) + 1}
_sallyport
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                              check=True, timeout=30)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_first_words_are_all_commands(self) -> None:
        shown = re.findall(r"^  ([\w-]+)", run("help").stdout, re.MULTILINE)
        self.assertEqual(self.offered(), set(shown) | {"help"})

    def test_what_follows(self) -> None:
        self.assertLessEqual({"verify", "list", "show", "prove"}, self.offered("ledger"))
        self.assertEqual(self.offered("status"), {"-c", "--json"})
        self.assertIn("purge", self.offered("store", "quarantine"))
        self.assertLessEqual({"-c", "--dry-run"}, self.offered("store", "gc"))

    def test_every_shell(self) -> None:
        for shell in ("bash", "zsh", "fish"):
            done = run("completion", shell)
            self.assertEqual(done.returncode, OK)
            self.assertIn("quarantine", done.stdout)
        self.assertEqual(run("completion", "csh").returncode, USAGE)
        self.assertEqual(run("completion").returncode, USAGE)


class Configuration(unittest.TestCase):
    def setUp(self) -> None:
        self.pki = make()
        self.gate = Gate("https://localhost:8531", self.pki)
        self.addCleanup(self.gate.close)
        self.good = self.gate.config.read_text()

    def check(self, text: str):
        self.gate.config.write_text(text)
        return self.gate.command("config", "check")

    def line_of(self, text: str, what: str) -> int:
        return text[:text.index(what)].count("\n") + 1

    def wrong(self, old: str, new: str, pattern: str, where: str = "") -> None:
        """With old replaced by new the check fails, naming the line and saying pattern."""
        self.assertIn(old, self.good)
        text = self.good.replace(old, new, 1)
        done = self.check(text)
        self.assertEqual(done.returncode, CONFIG, done.stderr + done.stdout)
        line = self.line_of(text, where or new)
        self.assertRegex(done.stderr, rf"{re.escape(str(self.gate.config))}:{line}: ")
        self.assertRegex(done.stderr, pattern)
        started = self.gate.command("run")
        self.assertEqual(started.returncode, CONFIG, "run takes what check refuses")

    def test_good(self) -> None:
        done = self.check(self.good)
        self.assertEqual((done.returncode, done.stderr), (OK, ""))

    def test_unknown_keys(self) -> None:
        self.wrong("state_dir", "stat_dir", "stat_dir.*state_dir")
        self.wrong("ca_file", "cafile", "cafile.*ca_file")
        self.wrong("plain_http", "plain_htpp", "plain_htpp.*plain_http")
        self.wrong('level = "info"', 'levle = "info"', "levle.*level")

    def test_wrong_values(self) -> None:
        self.wrong("workers = 2", 'workers = "two"', "workers", where="workers")
        self.wrong("workers = 2", "workers = -1", "workers")
        self.wrong('"enforce"', '"enforced"', "enforced.*enforce")
        self.wrong('"verified-only"', '"verified"', "verified.*verified-only")
        self.wrong('"json"', '"xml"', "json")
        self.wrong('"127.0.0.0/8"', '"127.0.0.0/33"', "network", where='allow = ')
        self.wrong(f'"127.0.0.1:{self.gate.port}"', '"127.0.0.1:99999"', "99999")
        self.wrong('"https"', '"http"', "content_transport|https", where='"http"')

    def test_upstreams(self) -> None:
        self.wrong("https://localhost:8531", "http://localhost:8530", "https")
        self.wrong("https://localhost:8531", "https://localhost:8531/path", "nothing behind",
                   where='upstream "head-office"')
        self.wrong("https://localhost:8531", "https://user@localhost:8531", "no name and password",
                   where='upstream "head-office"')
        self.wrong('upstream = "head-office"', 'upstream = "head-offices"', "head-offices")

    def test_pins(self) -> None:
        spare = self.pki.pins["spare"]
        self.wrong(f', "{spare}"', "", "single pin", where="  pins ")
        same = self.pki.pins["intermediate"]
        self.wrong(spare, same, "two|twice|same", where="  pins ")
        self.wrong(spare, spare[:-4], "pin", where="  pins ")
        self.wrong(spare, spare.replace("sha256//", "sha1//"), "sha256//", where="  pins ")

    def test_files(self) -> None:
        self.wrong(self.pki.ca, "/nonexistent/ca.pem", "/nonexistent/ca.pem.*No such file",
                   where='upstream "head-office"')
        cert, key = self.pki.pair("sallyport")
        self.wrong(key, self.pki.pair("upstream")[1], "key", where='listener "downstream"')
        self.wrong(cert, "/nonexistent/cert.pem", "/nonexistent/cert.pem",
                   where='listener "downstream"')

    def test_accounts(self) -> None:
        """Looked up before a start fails because of them."""
        with_user = re.sub(r'user = ".*"', 'user = "nobody"', self.good)
        self.assertEqual(self.check(with_user).returncode, OK)
        for key, wrong in (("user", re.sub(r'user = ".*"', 'user = "no-such-one"', self.good)),
                           ("group", re.sub(r'group = ".*"', 'group = "no-such-one"', with_user))):
            done = self.check(wrong)
            self.assertEqual(done.returncode, CONFIG)
            self.assertRegex(done.stderr, rf'{re.escape(str(self.gate.config))}: {key} = "no-such-one": '
                                          rf"there is no such .* here: {key}add --system")

    def test_names(self) -> None:
        bind = f'bind = "127.0.0.1:{self.gate.port}"'
        text = self.good.replace(bind, bind + ' names = { "localhost", "gate.localhost" }')
        self.assertEqual(self.check(text).returncode, OK)
        self.wrong(bind, bind + ' names = { "wsus.corp.example" }',
                   "does not cover.*wsus.corp.example.*localhost", where='listener "downstream"')

    def test_syntax(self) -> None:
        for old, new in (("admin {", "admin"), ("workers = 2", "workers 2"),
                         ("pins    = {", "pins = ")):
            done = self.check(self.good.replace(old, new, 1))
            self.assertEqual(done.returncode, CONFIG)
            self.assertRegex(done.stderr, rf"{re.escape(str(self.gate.config))}:\d+: ")

    def test_no_file(self) -> None:
        done = run("config", "check", "-c", "/nonexistent.conf")
        self.assertIn(done.returncode, (NO_INPUT, CONFIG))
        self.assertIn("/nonexistent.conf", done.stderr)

    def test_dump_reads_back(self) -> None:
        dump = self.gate.command("config", "dump")
        self.assertEqual(dump.returncode, OK)
        for key in ("state_dir", "pins", "plain_http", "allow", "workers"):
            self.assertIn(key, dump.stdout)
        self.gate.config.write_text(dump.stdout)
        again = self.gate.command("config", "dump")
        self.assertEqual((again.returncode, again.stdout), (OK, dump.stdout))


class Offline(Scene):
    """What an auditor does with a gate that served."""

    def setUp(self) -> None:
        self.catalogue = catalogue.Catalogue(95, 40, 5, big=0)
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up)
        self.server = self.downstream(self.door)
        self.server.sync()
        self.claim = max(self.server.synced.claims.values(), key=lambda c: c.size)

    def test_pin(self) -> None:
        host = f"localhost:{self.up.tls.port}"
        done = run("pin", host, "--ca", self.pki.ca)
        self.assertEqual(done.returncode, OK, done.stderr)
        for name in ("upstream", "intermediate"):
            self.assertIn(self.pki.pins[name], done.stdout)
        self.assertEqual(self.up.tls.app_bytes(), sum(
            c.app_bytes for c in self.up.tls.connections), "it sends no request")
        wrong = run("pin", host, "--ca", self.pki.file("client-ca.pem"))
        self.assertNotEqual(wrong.returncode, OK)
        self.assertEqual(run("pin", "localhost:1").returncode, 69)

    def test_status(self) -> None:
        done = self.door.command("status")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn(str(len(self.catalogue.revisions)), done.stdout)
        self.door.stop()
        self.assertNotEqual(self.door.command("status").returncode, OK)

    def test_ledger(self) -> None:
        self.server.download(self.claim)
        count = len(self.catalogue.revisions) + 1
        self.assertEqual(self.door.command("ledger", "verify").returncode, OK)  # while it runs
        self.assertEqual(self.door.stop(), 0)
        done = self.door.command("ledger", "verify")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn(str(count), done.stdout)
        listed = self.door.command("ledger", "list").stdout.splitlines()
        self.assertGreaterEqual(len(listed), count)
        shown = self.door.command("ledger", "show", "0").stdout
        self.assertIn("entry.kind revision", shown)
        self.assertIn("upstream.pin", shown)
        shown = self.door.command("ledger", "show", str(count - 1)).stdout
        self.assertIn("entry.kind file", shown)
        self.assertIn(self.claim.sha256.hex(), shown)
        self.assertNotEqual(self.door.command("ledger", "show", str(count)).returncode, OK)
        for number in ("0", str(count - 1)):
            proof = self.door.command("ledger", "prove", number)
            self.assertEqual(proof.returncode, OK, proof.stderr)
            self.assertIn("c2sp.org/tlog-proof", proof.stdout)

    def test_verify_files(self) -> None:
        """Content digests: as told, not as told, not found out."""
        good = self.door.directory / self.claim.name
        good.write_bytes(self.server.download(self.claim))
        sha1, sha256 = self.claim.sha1.hex(), self.claim.sha256.hex()
        done = run("verify", str(good))
        self.assertIn(sha256, done.stdout)
        self.assertIn(sha1, done.stdout)
        right = ("--digest", f"sha1:{sha1}", "--digest", f"sha256:{sha256}")
        done = run("verify", *right, str(good))
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        bad = self.door.directory / "bad.cab"
        bad.write_bytes(good.read_bytes() + b"!")
        done = run("verify", *right, str(bad))
        self.assertEqual(done.returncode, REFUSED, done.stdout + done.stderr)
        self.assertIn("bad.cab", done.stdout)
        missing = run("verify", *right, str(self.door.directory / "missing"))
        self.assertNotIn(missing.returncode, (OK, REFUSED))

    def test_state_is_private(self) -> None:
        key = self.door.state_dir / "ledger" / "key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        for path in self.door.cache_dir.rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o022, 0, path)
        self.assertTrue(os.access(Path(key), os.R_OK))

    def test_log_is_json_a_line(self) -> None:
        wire = self.wire(self.door.http_url)
        wire.ask("GET", '/Content/"\\<script>', {"User-Agent": 'a"b\\c'})
        self.door.stop()
        events = self.door.log()
        self.assertTrue(events)
        for event in events:
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
            self.assertIn(event["level"], ("error", "warning", "info", "debug"))


if __name__ == "__main__":
    unittest.main()
