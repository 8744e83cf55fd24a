"""How far a command is: a bar on a terminal, plain lines elsewhere, nothing with --quiet; in the
width there is, in both languages."""
import os
import pty
import subprocess
import unicodedata
import unittest

import harness  # noqa: F401

from catalogue import Catalogue
from gate import binary
from scene import Scene

CVRF = """<cvrfdoc xmlns="http://www.icasi.org/CVRF/schema/cvrf/1.1">
<DocumentTracking><Identification><ID>2024-{}</ID></Identification></DocumentTracking></cvrfdoc>"""
LARGE = 64 << 20  # below it verify shows nothing


def columns(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Progress(Scene):
    def setUp(self) -> None:
        self.catalogue = Catalogue(71, 40, 6)
        door = self.gate(self.upstream(self.catalogue))
        server = self.downstream(door)
        for claim in list(server.sync().claims.values())[:3]:
            server.download(claim)
        door.stop()
        self.dir = door.directory
        large = self.dir / "large.cab"
        with large.open("wb") as file:
            file.truncate(LARGE)
        config = ["-c", str(door.config)]
        self.commands = {  # what ends on stderr is how far it is, and nothing else
            "scrub": ["store", "scrub", *config],
            "ledger verify": ["ledger", "verify", *config],
            "verify": ["verify", str(large)],
            "export": ["ledger", "export", *config],
        }

    def run_on(self, errors: int, words: list[str], **more: str) -> int:
        self.count = getattr(self, "count", 0) + 1
        if "export" in words:
            words = [*words, str(self.dir / f"export-{self.count}")]
        env = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "60", **more}
        return subprocess.run([binary(), *words], stdout=subprocess.DEVNULL, stderr=errors, env=env,
                              timeout=60, check=False).returncode

    def on_terminal(self, words: list[str], **more: str) -> str:
        try:
            master, slave = pty.openpty()
        except OSError as error:
            print(f"SKIPPED: no terminal can be had here: {error}")
            raise unittest.SkipTest("no terminal") from None
        self.assertIn(self.run_on(slave, words, **more), (0, 1))
        os.close(slave)
        said = b""
        try:
            while more_bytes := os.read(master, 1 << 16):
                said += more_bytes
        except OSError:
            pass  # all is read
        os.close(master)
        return said.decode()

    def elsewhere(self, words: list[str], **more: str) -> str:
        said, to = os.pipe()
        self.assertIn(self.run_on(to, words, **more), (0, 1))
        os.close(to)
        with os.fdopen(said) as file:
            return file.read()

    def test_a_bar_on_a_terminal(self) -> None:
        for name, words in self.commands.items():
            with self.subTest(name):
                said = self.on_terminal(words)
                self.assertIn("#]", said)
                self.assertIn("100 %", said)
                self.assertTrue(said.endswith("\r\033[K"), repr(said[-40:]))
                self.assertNotIn("\n", said)

    def test_as_wide_as_there_is_room(self) -> None:
        for name, words in self.commands.items():
            for locale, room in (("C.UTF-8", 20), ("ja_JP.UTF-8", 20), ("ja_JP.UTF-8", 40)):
                if room == 20 or name != "verify":  # which takes longest
                    with self.subTest(f"{name} {locale} {room}"):
                        said = self.on_terminal(words, COLUMNS=str(room), LC_ALL=locale)
                        drawn = said.replace("\033[K", "").split("\r")
                        self.assertLessEqual(max(map(columns, drawn)), room)
                        self.assertNotEqual("".join(drawn), "")
                        if room == 20:
                            self.assertNotIn("[", "".join(drawn))

    def test_plain_lines_elsewhere(self) -> None:
        for name, words in self.commands.items():
            with self.subTest(name):
                said = self.elsewhere(words)
                self.assertRegex(said, r"^(\d+ % [a-z ]+[^\n]*\n)+$")
                self.assertNotRegex(said, r"[\r\033\[]")
                lines = said.splitlines()
                self.assertLessEqual(len(lines), 10)
                self.assertTrue(lines[-1].startswith("100 %"))

    def test_quiet(self) -> None:
        for name, words in self.commands.items():
            with self.subTest(name):
                self.assertEqual(self.on_terminal([*words, "--quiet"]), "")
                self.assertEqual(self.elsewhere([*words, "--quiet"]), "")

    def test_import_counts_files(self) -> None:
        files = []
        for i in range(3):
            path = self.dir / f"{i}.xml"
            path.write_text(CVRF.format(i))
            files.append(str(path))
        words = ["import", "advisories", "-d", str(self.dir / "state"), "--dry-run", *files]
        said = self.on_terminal(words)
        self.assertIn("#]", said)
        self.assertEqual(self.elsewhere(words).splitlines()[-1], "100 % files read")
        self.assertEqual(self.on_terminal([*words, "--quiet"]), "")


if __name__ == "__main__":
    unittest.main()
