"""The first hour, in English and in Japanese: the commands and the configuration are read out of
README.md and docs/guides/between-tiers.md, so what they say is what works. From the upstream's keys
to a downstream's whole synchronisation, and a look around afterwards.

scripts/first-hour plays it in a bare Debian, with what README.md says of building and installing.
"""
import os
import pty
import re
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from downstream import Downstream
from gate import binary, free_ports, run
from pki import SOURCE
from scene import Scene

README = Path(SOURCE, "README.md").read_text(encoding="utf-8")
GUIDE = Path(SOURCE, "docs/guides/between-tiers.md").read_text(encoding="utf-8")
UPSTREAM, GATE = "wsus.corp.example:8531", "gate.branch.example"
LANGUAGES = {"en": "C.UTF-8", "ja": "ja_JP.UTF-8"}
# What a look around may end with: doctor finds that the test's networks are wide, and such.
FINDINGS = (0, 1)


def commands(text: str) -> list[list[str]]:
    """Every `sallyport ...` that a text gives to be typed, with a comment or column behind it."""
    found = re.findall(r"^ {4}(sallyport [^\n]*)|`(sallyport [^`]*)`", text, re.MULTILINE)
    lines = [re.split(r"\s{2,}|\s#", a or b)[0] for a, b in found]
    return [line.split() for line in lines]


def configuration(text: str) -> str:
    return next(block for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
                if 'listener "' in block)


def is_japanese(text: str) -> bool:
    return any("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in text)


def english(text: str) -> list[str]:
    """Lines with a sentence of English in them; commands, names and paths are none."""
    bare = re.sub(r'"[^"]*"|\S*[/\\=_@.]\S*|sallyport( [a-z-]+)*', " ", text)
    return [line for line in bare.splitlines()
            if re.search(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b", line)]


class Documents(unittest.TestCase):
    def test_what_is_read_out_of_them(self) -> None:
        self.assertIn(["sallyport", "doctor", f"https://{UPSTREAM}", "--ca", "corp-ca.pem"],
                      commands(GUIDE))
        self.assertIn(["sallyport", "run", "-c", "/etc/sallyport/sallyport.conf"], commands(README))
        self.assertIn("admin {", configuration(README))
        self.assertEqual(english("a b\nthere is nothing here\nsallyport ledger verify\n/a/b c"),
                         ["there is nothing here"])


class FirstHour(Scene):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="sallyport-hour-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.catalogue = Catalogue(61, 40, 6)
        self.up = self.upstream(self.catalogue)
        self.port = free_ports(3) + 1
        self.language = "en"

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items()
                if not k.startswith("LC_") and k not in ("LANG", "LANGUAGE", "COLUMNS")}
        return {**kept, "LANG": LANGUAGES[self.language], "COLUMNS": "100"}

    def type(self, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        """What a command says, in the language that is spoken and in no other."""
        done = run(*words, env=self.environment())
        said = done.stdout + done.stderr
        self.assertIn(done.returncode, codes, (words, said))
        self.check_language(said, words)
        return said

    def check_language(self, said: str, words) -> None:
        if self.language == "ja":
            self.assertEqual(english(said), [], words)
        else:
            self.assertFalse(is_japanese(said), words)

    def typed(self, text: str, **places: str) -> list[str]:
        """The words of a documented command, for this machine."""
        host = self.up.url.removeprefix("https://")
        for old, new in {UPSTREAM: host, "corp-ca.pem": str(self.pki.ca), **places}.items():
            text = text.replace(old, new)
        return text.split()[1:]

    def localised(self, text: str, pins: list[str]) -> str:
        """The documented configuration, with the names, keys and ports of this machine."""
        cert, key = self.pki.pair("sallyport")
        pairs = {f"https://{UPSTREAM}": self.up.url, "/etc/sallyport/ca.pem": str(self.pki.ca),
                 "/etc/sallyport/gate.pem": cert, "/etc/sallyport/gate.key": key,
                 "/etc/sallyport/policies": str(SOURCE / "policies"),
                 "/var/lib/sallyport": str(self.dir / "state"),
                 "/var/cache/sallyport": str(self.dir / "cache"), '"0.0.0.0:': '"127.0.0.1:',
                 '"gate.branch.example"': '"localhost"', "10.0.0.0/8": "127.0.0.0/8",
                 "10.20.0.0/16": "127.0.0.0/8", ":8531": f":{self.port}",
                 ":8530": f":{self.port - 1}", ":8532": f":{self.port + 1}"}
        for old, new in pairs.items():
            text = text.replace(old, new)
        return text.replace('"sha256//BASE64=", "sha256//BASE64="',
                            ", ".join(f'"{p}"' for p in pins))

    def start(self, config: str) -> None:
        words = next(c for c in commands(README) if c[1] == "run")
        words = [config if w.endswith(".conf") else w for w in words[1:]]
        process = subprocess.Popen([binary(), *words], stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env=self.environment())

        def stop() -> None:
            process.terminate()
            self.log += process.communicate(timeout=30)[1]
            self.assertEqual(process.returncode, 0, self.log)
            self.assertFalse(is_japanese(self.log), "the log is English")
        self.log = ""
        self.stop = stop
        self.addCleanup(lambda: process.poll() is None and stop())
        for line in process.stderr:
            self.log += line
            if "ready" in line:
                return
        self.fail(self.log)

    def synchronise(self, said: str) -> None:
        """What the downstream server is told, in the words that are pasted into PowerShell."""
        name = re.search(r"-UssServerName (\S+)", said)[1]
        port = re.search(r"-PortNumber (\d+)", said)[1]
        name, port = {GATE: "localhost"}.get(name, name), {"8531": str(self.port)}.get(port, port)
        server = Downstream(f"https://{name}:{port}", str(self.trusted),
                            content=f"http://{name}:{int(port) - 1}")
        self.addCleanup(server.close)
        self.assert_synced(self.catalogue, server.sync())
        claim = next(iter(server.synced.claims.values()))
        self.assertEqual(len(server.download(claim)), claim.size)

    def look_around(self, config: str) -> None:
        """The commands of the README's list that only look, and the status page."""
        for words in ("status", "doctor", "report sizes", "report updates",
                      "report plain-http", "report blocked", "report freshness", "posture",
                      "ledger verify", "ledger list --count 3", "ledger show 0", "store stats",
                      "store list", "recheck", "reload", "config check"):
            name = re.sub(r" (--.*|\d.*)", "", words)
            self.assertIn(f"sallyport {name.split()[0]}", README)
            codes = FINDINGS if name == "doctor" else \
                (0, 1, 2) if name == "posture" else (0,)
            said = run(*words.split(), "-c", config, env=self.environment())
            self.assertIn(said.returncode, codes, said.stderr + said.stdout)
            if name not in ("ledger list", "ledger show", "report updates"):  # what updates say
                self.check_language(said.stdout + said.stderr, words)
        whole = self.type("ledger", "verify", "-c", config, "--quiet")
        entries = re.search(r" (\d+) ", whole.replace("件", " "))[1]
        self.assertGreater(int(entries), len(self.catalogue.revisions))
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port + 1}/", timeout=30) as page:
            self.assertIn("<title>sallyport</title>", page.read().decode())
        self.type("support-bundle", "-c", config, str(self.dir / f"help-{self.language}.tar"))

    def test_by_hand(self) -> None:
        """The guide: doctor, pin, the configuration pasted, run, synchronise, look."""
        for self.language in LANGUAGES:
            with self.subTest(self.language):
                asked = [" ".join(c) for c in commands(GUIDE)]
                doctor = next(c for c in asked if "doctor" in c)
                self.type(*self.typed(doctor), codes=FINDINGS)
                said = self.type(*self.typed(next(c for c in asked if " pin " in c)))
                pins = re.findall(r"sha256//[A-Za-z0-9+/]{43}=", said)
                for place in ("state", "cache"):
                    (self.dir / place).mkdir(exist_ok=True)
                config = self.dir / "sallyport.conf"
                config.write_text(self.localised(configuration(README), pins[-2:]))
                self.type("config", "check", "-c", str(config))
                self.trusted = self.pki.ca
                self.start(str(config))
                self.synchronise(GUIDE)
                self.look_around(str(config))
                self.stop()

    def test_the_gate_of_the_guide(self) -> None:
        head = configuration(README).partition("upstream")[0]
        pins = [self.pki.pins["intermediate"], self.pki.pins["spare"]]
        for place in ("state", "cache"):
            (self.dir / place).mkdir()
        config = self.dir / "sallyport.conf"
        config.write_text(self.localised(head + configuration(GUIDE), pins) +
                          f'admin {{ bind = "127.0.0.1:{self.port + 1}" }}\n')
        self.type("config", "check", "-c", str(config))
        self.trusted = self.pki.ca
        self.start(str(config))
        self.synchronise(GUIDE)

    def interview(self, folder: Path) -> str:
        """`sallyport init` as the README has it, everything asked and answered on a terminal."""
        try:
            master, slave = pty.openpty()
        except OSError as error:
            print(f"SKIPPED: no terminal can be had here: {error}")
            raise unittest.SkipTest("no terminal") from None
        self.assertIn(["sallyport", "init"], commands(README))
        # where things go and which ports: the test cannot have the defaults
        process = subprocess.Popen(
            [binary(), "init", "--dir", str(folder), "--port", str(self.port), "--ca",
             str(self.pki.ca)], stdin=slave, stdout=slave, stderr=slave, env=self.environment())
        os.close(slave)
        answers = [self.up.url.removeprefix("https://"), "localhost", "yes"]
        said = b""
        try:
            while more := os.read(master, 4096):
                said += more
                if said.rstrip().endswith((b":", b"]", "]".encode())) and answers:
                    os.write(master, answers.pop(0).encode() + b"\n")
        except OSError:
            pass  # the terminal is gone with the program
        os.close(master)
        self.assertEqual(process.wait(timeout=30), 0, said.decode())
        self.assertEqual(answers, [], said.decode())
        text = said.decode().replace("\r", "")
        self.check_language(text, "init")
        return text

    def test_with_init(self) -> None:
        """Asked and answered, then what it says comes next."""
        for self.language in LANGUAGES:
            with self.subTest(self.language):
                folder = self.dir / self.language
                said = self.interview(folder)
                config = str(folder / "sallyport.conf")
                self.assertIn(f"sallyport run -c {config}", said)
                self.type("config", "check", "-c", config)
                self.type("doctor", "-c", config, codes=FINDINGS)
                self.trusted = folder / "tls" / "gate-ca.pem"
                self.start(config)
                self.synchronise(said)
                self.look_around(config)
                self.stop()


if __name__ == "__main__":
    unittest.main()
