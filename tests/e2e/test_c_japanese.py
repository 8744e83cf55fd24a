"""The first hour in Japanese: what people read is Japanese, what programs read is not."""
import json
import os
import subprocess
import tempfile
import unicodedata
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from downstream import Downstream
from gate import binary, free_ports, run
from scene import Scene

JAPANESE = {"LANG": "ja_JP.UTF-8"}
LISTED = {"LANG": "C.UTF-8", "LANGUAGE": "ja:en"}
ENGLISH = {"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}


def environment(spoken: dict[str, str], **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("LC_") and k not in ("LANG", "LANGUAGE", "COLUMNS")}
    return {**kept, **spoken, **more}


def columns(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def is_japanese(text: str) -> bool:
    return any("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in text)


class FirstHour(Scene):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="sallyport-ja-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name) / "etc"
        self.catalogue = Catalogue(42, 40, 6)
        self.up = self.upstream(self.catalogue)
        self.port = free_ports(3) + 1
        self.config = str(self.dir / "sallyport.conf")

    def say(self, *words: str, spoken: dict[str, str] = JAPANESE, code: int = 0,
            **more: str) -> str:
        done = run(*words, env=environment(spoken, **more))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def init(self, spoken: dict[str, str]) -> str:
        return self.say("init", "--upstream", self.up.url.removeprefix("https://"), "--names",
                        "localhost", "--port", str(self.port), "--dir", str(self.dir), "--ca",
                        str(self.pki.ca), "--yes", spoken=spoken)

    def start(self) -> None:
        process = subprocess.Popen([binary(), "run", "-c", self.config], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env=environment(JAPANESE))

        def stop() -> None:
            process.terminate()
            self.log += process.communicate(timeout=30)[1]
            self.assertFalse(is_japanese(self.log), "the log is English")
        self.log = ""
        self.addCleanup(stop)
        for line in process.stderr:
            self.log += line
            if '"ready"' in line:
                return
        self.fail("it did not start")

    def test_first_hour(self) -> None:
        said = self.init(JAPANESE)
        self.assertIn("sallyport.conf を作成しました。", said)
        self.assertIn("グループ ポリシー", said)
        for word in ("Set-WsusServerSynchronization -UssServerName localhost `",
                     f"https://localhost:{self.port}", "UpdateServiceUrlAlternate"):
            self.assertIn(word, said)  # what is typed is the same in every language
        steps = said.partition("を作成しました")[2].splitlines()
        self.assertLessEqual(max(columns(x) for x in steps if str(self.dir) not in x), 80)
        self.assertFalse(is_japanese(Path(self.config).read_text()), "files are English")
        self.say("config", "check", "-c", self.config)
        for spoken, found in ((JAPANESE, "sallyport: 見つかりません: cannot read /nonexistent"),
                              (ENGLISH, "sallyport: cannot read /nonexistent")):
            self.assertTrue(self.say("policy", "check", "/nonexistent", spoken=spoken, code=66)
                            .startswith(found))
        before = self.say("doctor", "-c", self.config, code=1)
        self.assertIn("誰にもサービスを提供していません。", before)  # no daemon yet
        self.start()
        server = Downstream(f"https://localhost:{self.port}", self.dir / "tls" / "gate-ca.pem",
                            content=f"http://localhost:{self.port - 1}")
        self.addCleanup(server.close)
        self.assert_synced(self.catalogue, server.sync())
        self.look_around()

    def look_around(self) -> None:
        after = self.say("doctor", "-c", self.config, code=1)
        self.assertNotIn("誰にもサービスを提供していません。", after)
        self.assertRegex(after, r"項目を確認しました: 異常 0、警告 \d、注意 0")
        self.assertIn("平文の HTTP", self.say("status", "-c", self.config))
        table = self.say("report", "updates", "-c", self.config, COLUMNS="100")
        self.assertIn("更新プログラム\n", table)
        self.assertIn("緊急", table)  # Critical, as Microsoft says it in Japanese
        self.assertLessEqual(max(map(columns, table.splitlines())), 100)
        begins = {columns(line[:line.index("2026-01-01")])
                  for line in table.splitlines() if "2026-01-01" in line}
        self.assertEqual(len(begins), 1, "columns stand below each other")
        for words in (("doctor", "--json", "-c", self.config),
                      ("report", "sizes", "--json", "-c", self.config),
                      ("report", "updates", "--format", "csv", "-c", self.config)):
            code = words[0] == "doctor"
            there = self.say(*words, code=code)
            self.assertEqual(there, self.say(*words, spoken=ENGLISH, code=code), words)
        self.assertEqual(json.loads(self.say("status", "--json", "-c", self.config))["policy"],
                         json.loads(self.say("status", "--json", "-c", self.config,
                                             spoken=ENGLISH))["policy"])

    def test_how_it_is_asked_for(self) -> None:
        """No Japanese locale need be installed."""
        for spoken in (JAPANESE, LISTED):
            self.assertIn("使用法", self.say("--help", spoken=spoken))
            self.assertIn("規則 \"file-sha\" はありません。\"file-sha1\" のことですか?",
                          self.say("policy", "explain", "file-sha", spoken=spoken, code=64))
        for spoken in (ENGLISH, {"LANG": "C.UTF-8"}, {}, {"LANG": "ja_JP.eucJP"},
                       {"LANGUAGE": "en:ja", "LANG": "ja_JP.UTF-8"}):
            self.assertFalse(is_japanese(self.say("--help", spoken=spoken)), spoken)


if __name__ == "__main__":
    unittest.main()
