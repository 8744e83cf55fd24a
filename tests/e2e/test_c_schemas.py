"""Every JSON that a command prints has the shape that its schema in docs/schemas says. Which those
commands are says the table of commands: one without a schema, or without a call here, fails."""
import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import jsonschema

import soap
from catalogue import Catalogue
from downstream import Downstream
from gate import run, wait_until
from pki import SOURCE
from scene import Scene


def commands_with_json() -> list[str]:
    """The words of every command that takes --json."""
    table = Path(SOURCE, "src/app/cmd/cmds.def").read_text()
    rows = re.findall(r'^CMD\("([^"]+)", \w+,\s*"([^"]*)",', table, re.M)
    assert len(rows) == len(re.findall(r"^CMD\(", table, re.M)), "a row that is not understood"
    return [words for words, arguments in rows if "--json" in arguments]


class Schemas(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(revisions=30, files=8, big=0)

    def fits(self, name: str, text: str) -> dict:
        made = json.loads(text)
        schema = json.loads(Path(SOURCE, f"docs/schemas/{name}.schema.json").read_text())
        jsonschema.validate(made, schema)
        return made

    def test_every_command(self) -> None:
        """Each of the table, as it comes from a gate that served, and once more without a daemon."""
        door = self.gate(self.upstream(self.catalogue), posture="standard")
        server = self.downstream(door)
        for claim in list(server.sync().claims.values())[:2]:
            server.download(claim)
        file = Path(tempfile.mkdtemp(prefix="sallyport-schemas-"), "file")
        self.addCleanup(shutil.rmtree, file.parent)
        file.write_bytes(self.catalogue.files[0].read())
        bundle = self.catalogue.of_kind("bundle")[0]
        number = re.search(r"KBArticleID>(\d+)<", bundle.document)[1]
        more = {"verify": (str(file),), "report kb": (number,)}
        asks = {"status", "posture", "reload"}  # nothing but an error without a daemon
        found = commands_with_json()
        self.assertGreaterEqual(len(found), 14)
        self.assertLessEqual(asks | set(more), set(found))
        for running in (True, False):
            if not running:
                door.stop()
            for words in found:
                if not running and words in asks:
                    continue
                with self.subTest(command=words, running=running):
                    done = door.command(*words.split(), *more.get(words, ()), "--json")
                    self.fits(words.replace(" ", "-"), done.stdout)

    def test_commands_that_ask_the_daemon(self) -> None:
        door = self.gate(self.upstream(self.catalogue), posture="standard")
        server = self.downstream(door)
        for claim in list(server.sync().claims.values())[:2]:
            server.download(claim)
        plain = Downstream(door.http_url)
        self.addCleanup(plain.close)
        with self.assertRaises(soap.Fault):
            plain.sync()
        wait_until("a full verification", lambda: json.loads(
            door.command("posture", "--json").stdout)["posture"] == "conforming")
        made = self.fits("posture", door.command("posture", "--json").stdout)
        self.assertEqual([u["name"] for u in made["upstreams"]], ["head-office"])
        status = self.fits("status", door.command("status", "--json").stdout)
        self.assertEqual(status["plain_http"][0]["refused"], 1)
        self.assertEqual(status["ledger"]["files"], 2)
        self.fits("doctor", door.command("doctor", "--json").stdout)

    def test_doctor_with_findings(self) -> None:
        upstream = self.upstream(self.catalogue)
        done = run("doctor", upstream.url.removeprefix("https://"), "--json")
        made = self.fits("doctor", done.stdout)
        self.assertIn("chain-unchecked", [f["code"] for f in made["findings"]])

    def test_reload(self) -> None:
        door = self.gate(self.upstream(self.catalogue))
        door.write_config(peer_rate=77, ledger_name="sallyport/another")
        made = self.fits("reload", door.command("reload", "--json").stdout)
        self.assertEqual((len(made["changed"]), len(made["left"])), (1, 1))
        door.write_config(workers=3)
        made = self.fits("reload", door.command("reload", "--json").stdout)
        self.assertFalse(made["reloaded"])

    def test_an_upstream_that_is_not_in_order(self) -> None:
        upstream = self.upstream(self.catalogue)
        door = self.gate(upstream, posture="standard")
        upstream.close()
        door.command("recheck")
        wait_until("that it is noticed", lambda: json.loads(
            door.command("posture", "--json").stdout)["posture"] != "conforming")
        made = self.fits("posture", door.command("posture", "--json").stdout)
        self.assertTrue(made["upstreams"][0]["why"])
        self.fits("status", door.command("status", "--json").stdout)

    def test_verify(self) -> None:
        with tempfile.TemporaryDirectory(prefix="sallyport-schemas-") as folder:
            for file in self.catalogue.files:
                path = Path(folder, file.name)
                path.write_bytes(file.read())
                made = self.fits("verify", run("verify", "--json", str(path)).stdout)
                self.assertEqual(made["file.size"], [file.size])


if __name__ == "__main__":
    unittest.main()
