"""Every command of the table: its help, what it says of wrong words and wrong files, in one line and
with the right exit code, in both languages."""
import os
import re
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

from gate import run
from pki import SOURCE, make

USAGE, DATA, NO_INPUT, CONFIG = 64, 65, 66, 78
TABLE = re.findall(r'^CMD\("([^"]+)", \w+,\s*"((?:[^"\\]|\\.)*)"',
                   Path(SOURCE, "src/app/cmd/cmds.def").read_text(), re.MULTILINE)
ENGLISH, JAPANESE = {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "ja_JP.UTF-8"}
POLICY = str(SOURCE / "policies" / "strict-2026.policy")
UPDATE = "0fa1201d-4330-4fa8-8ae9-b877473b6441"
# What a command wants beside what is wrong: {name} is a path of the test's folder.
WORDS = {
    "lockdown": ["on"], "ledger show": ["0"], "ledger prove": ["0"], "ledger find": ["KB1"],
    "ledger export": ["{new}"], "report kb": ["1"], "import advisories": ["{text}"],
    "import notes": ["{text}"], "store pin": ["0" * 64], "store unpin": ["0" * 64],
    "store quarantine release": ["--reason", "x", "1"], "catalog find": ["KB1"],
    "catalog show": [UPDATE], "trust add": ["{text}"], "verify": ["{text}"],
    "judge": ["--policy", POLICY],
}
# These look at what is wrong, so a wrong configuration is what they find: 1, or a file of it.
EXAMINERS = {"doctor", "support-bundle"}
# A file in every place that takes one, {bad}; what is no regular file, missing, empty, and garbage.
FILES = {
    "policy check {bad}": CONFIG, f"policy diff {{bad}} {POLICY}": CONFIG,
    f"policy diff {POLICY} {{bad}}": CONFIG, "judge --policy {bad} -d {folder}": CONFIG,
    "verify --bundle {bad} {text}": CONFIG, "verify --catalog {bad} {text}": DATA,
    "import advisories -d {folder} {bad}": DATA, "catalog status --index {bad}": DATA,
    "catalog find --index {bad} KB1": DATA, f"catalog show --index {{bad}} {UPDATE}": DATA,
    "catalog check --bundle {bad} --index {new} {text}": CONFIG,
    "pin localhost:1 --ca {bad}": CONFIG, "doctor localhost:1 --ca {bad}": CONFIG,
    "init --upstream localhost:1 --ca {bad} --names a --dir {new} --yes": CONFIG,
}
# Where a verdict is asked for, 2 says that there is none.
COMMON = ("missing", "garbage")
UNKNOWN = {"verify {bad}": 2, "ledger verify {bad} --key {key}": 2,
           "ledger verify {text} --key {bad}": 2}


def is_japanese(text: str) -> bool:
    return any("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in text)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="sallyport-commands-")
        cls.addClassCleanup(folder.cleanup)
        cls.dir = Path(folder.name)
        cls.wrong = {"missing": NO_INPUT, "folder": DATA, "/dev/zero": DATA, "empty": None,
                     "garbage": None}
        (cls.dir / "folder").mkdir()
        (cls.dir / "empty").touch()
        (cls.dir / "garbage").write_bytes(bytes(range(256)) * 40)
        (cls.dir / "text").write_text("hello")
        cls.names = {name: str(cls.dir / name) for name in ("folder", "new", "text")}
        cls.names["key"] = "example+00000000+AAAA"

    def ask(self, words: list[str], spoken: dict[str, str] = ENGLISH):
        kept = {k: v for k, v in os.environ.items() if k not in ("LANGUAGE", "LANG")}
        return run(*words, env={**kept, **spoken})

    def refused(self, words: list[str], *codes: int, spoken: dict[str, str] = ENGLISH) -> str:
        """One line on standard error, nothing beside it, and no second mention of the file."""
        done = self.ask(words, spoken)
        self.assertIn(done.returncode, codes, (words, done.stderr))
        self.assertEqual((done.stdout, done.stderr.count("\n")), ("", 1), (words, done.stderr))
        return done.stderr

    def test_the_table_is_read(self) -> None:
        rows = Path(SOURCE, "src/app/cmd/cmds.def").read_text().count("\nCMD(")
        self.assertEqual(len(TABLE), rows)

    def test_help(self) -> None:
        offered = run("completion", "bash").stdout
        for words, arguments in TABLE:
            done = self.ask([*words.split(), "--help"])
            head = f"sallyport {words} {arguments}".rstrip() + "\n"
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertTrue(done.stdout.startswith(f"usage: {head}"), words)
            said = self.ask([*words.split(), "--help"], JAPANESE).stdout
            self.assertIn(head, said)
            self.assertTrue(all(is_japanese(x) for x in said.split("\n\n")), said)
            self.assertIn(words.split()[-1], offered)

    def test_wrong_words(self) -> None:
        for words, _ in TABLE:
            given = words.split()
            said = self.refused([*given, "--frobnicate"], USAGE)
            self.assertIn("--frobnicate", said)
            self.assertTrue(is_japanese(self.refused([*given, "--frobnicate"], USAGE,
                                                     spoken=JAPANESE)), words)

    def test_too_many_words(self) -> None:
        for words, arguments in TABLE:
            if "FILE..." in arguments:
                continue
            given = [*words.split(), "a", "b", "c", "d"]
            self.refused(given, USAGE)
            self.assertTrue(is_japanese(self.refused(given, USAGE, spoken=JAPANESE)), words)

    def test_an_option_without_its_value(self) -> None:
        for words, arguments in TABLE:
            if "-c FILE" in arguments:
                self.refused([*words.split(), "-c"], USAGE)

    def wrongs(self, *some: str):
        for name, code in self.wrong.items():
            if some and name not in some:
                continue
            yield (name if name[0] == "/" else str(self.dir / name)), code

    def test_wrong_configurations(self) -> None:
        seen = 0
        for words, arguments in TABLE:
            if "-c FILE" not in arguments or words in EXAMINERS:
                continue
            more = [x.format(**self.names) for x in WORDS.get(words, [])]
            for path, code in self.wrongs(*([] if words == "config check" else COMMON)):
                codes = (2, code or CONFIG) if words in ("ledger verify", "posture") else (
                    code or CONFIG,)
                said = self.refused([*words.split(), "-c", path, *more], *codes)
                self.assertEqual(said.count(path), 1, said)
                seen += 1
        self.assertGreater(seen, 80)

    def test_what_examines_tells_of_a_wrong_configuration(self) -> None:
        for path, _ in self.wrongs():
            done = self.ask(["doctor", "-c", path])
            self.assertEqual((done.returncode, done.stderr), (1, ""))
            self.assertIn(path, done.stdout)

    def test_wrong_folders(self) -> None:
        for words, arguments in TABLE:
            if "-d DIR" not in arguments:
                continue
            more = [x.format(**self.names) for x in WORDS.get(words, [])]
            for path, code in self.wrongs(*COMMON):
                codes = (2, ) if words == "ledger verify" else (code or DATA,)
                self.refused([*words.split(), "-d", path, *more], *codes)

    def test_wrong_files(self) -> None:
        for line, content in (FILES | UNKNOWN).items():
            for path, code in self.wrongs():
                if line.startswith("verify {bad}") and code is None:
                    continue  # anything can be looked at
                words = [x.format(bad=path, **self.names) for x in line.split()]
                said = self.refused(words, 2 if content == 2 else code or content)
                self.assertLessEqual(said.count(path), 2 if content == 2 else 1, said)
        self.assertFalse((self.dir / "new").exists())

    def test_an_empty_list_of_authorities_is_not_none(self) -> None:
        """Who names a file wants to be told that it proves nothing."""
        pki = make()
        empty = self.dir / "no-certificate.pem"
        empty.write_text(Path(pki.ca).read_text().replace("BEGIN CERTIFICATE", "BEGIN NOTHING"))
        self.assertIn("has no certificate", self.refused(
            ["pin", "localhost:1", "--ca", str(empty)], CONFIG))


if __name__ == "__main__":
    unittest.main()
