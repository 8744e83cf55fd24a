"""Reports: what an administrator learns from the ledger, beside the daemon and without it, in three
formats; every JSON has the shape that its schema says."""
import csv
import io
import json
import os
import pty
import unittest
from pathlib import Path

import harness  # noqa: F401

import jsonschema

import soap
from catalogue import Catalogue
from downstream import Downstream
from gate import binary, run
from pki import SOURCE
from scene import Scene

USAGE, NO_INPUT = 64, 66


def schema(name: str) -> dict:
    return json.loads(Path(SOURCE, f"docs/schemas/{name}.schema.json").read_text())


def on_terminal(*words: str, env: dict[str, str]) -> str:
    """What the command writes when standard output is a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(binary(), [binary(), *words], {**os.environ, **env})
    data = b""
    try:
        while piece := os.read(terminal, 65536):
            data += piece
    except OSError:
        pass
    os.close(terminal)
    os.waitpid(pid, 0)
    return data.decode()


REPORTS = ("sizes", "updates", "severity", "advisories", "plain-http", "blocked", "signers",
           "freshness")


class Reports(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(revisions=60, files=14, big=0)

    def setUp(self) -> None:
        self.door = self.gate(self.upstream(self.catalogue))
        self.server = self.downstream(self.door)
        self.synced = self.server.sync()

    def report(self, *words: str, code: int = 0, env: dict[str, str] | None = None):
        done = run("report", *words, "-d", str(self.door.state_dir), env=env)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def sections(self, *words: str) -> dict:
        made = json.loads(self.report(*words, "--json").stdout)
        jsonschema.validate(made, schema("report-" + words[0]))
        self.assertEqual(made["report"], words[0])
        return made["sections"]

    def sizes(self, bundle) -> dict[bytes, int]:
        return {f.claim_sha1: f.claim_size for leaf in self.catalogue.of_kind("leaf")
                if leaf.update_id in bundle.document for f in leaf.files}

    def kb(self, bundle) -> str:
        return bundle.document.partition("<upd:KBArticleID>")[2].partition("<")[0]

    def test_sizes_and_updates(self) -> None:
        bundles = self.catalogue.of_kind("bundle")
        wanted = {self.kb(b): self.sizes(b) for b in bundles}
        found = self.sections("sizes")
        self.assertEqual({r["kb"]: (r["files"], r["bytes"]) for r in found["by_kb"]},
                         {kb: (len(s), sum(s.values())) for kb, s in wanted.items()})
        everything = {digest: size for s in wanted.values() for digest, size in s.items()}
        self.assertEqual(found["total"][0]["bytes"], sum(everything.values()))
        self.assertEqual([r["product"] for r in found["by_product"]], ["Fabrikam 11"])
        self.assertEqual([r["classification"] for r in found["by_classification"]], ["Security"])
        self.assertEqual([r["month"] for r in found["by_month"]], ["2026-01"])
        self.assertEqual(found["by_month"][0]["updates"], len(bundles))
        rows = self.sections("updates")["updates"]
        self.assertEqual(sorted(r["update_id"] for r in rows), sorted(b.update_id for b in bundles))
        for row in rows:
            self.assertEqual((row["severity"], row["support_url"], row["products"]),
                             ("Critical", "https://support.example.test/kb", ["Fabrikam 11"]))

    def test_one_kb_with_its_files(self) -> None:
        bundle = next(b for b in self.catalogue.of_kind("bundle")
                      if any(f.name.endswith(".cab") for leaf in self.catalogue.of_kind("leaf")
                             if leaf.update_id in b.document for f in leaf.files))
        for claim in self.synced.claims.values():
            if claim.sha1 in self.sizes(bundle):
                self.server.download(claim)
        found = self.sections("kb", "KB" + self.kb(bundle))
        self.assertEqual(found["updates"][0]["update_id"], bundle.update_id)
        files = {bytes.fromhex(r["sha1"]): r["bytes"] for r in found["files"]}
        self.assertEqual(files, self.sizes(bundle))
        self.assertTrue(all(r["verified"] for r in found["files"]), found["files"])
        self.assertTrue(any(r["signer"] for r in found["files"]))
        signers = self.sections("signers")["signers"]
        self.assertEqual(sum(r["files"] for r in signers), len(files))
        self.assertTrue(any(r["trusted"] and r["class"] == "signed" for r in signers))
        self.assertEqual(self.sections("severity")["by_severity"][0]["severity"], "Critical")
        self.report("kb", "99", code=NO_INPUT)

    def test_who_comes_over_plain_http(self) -> None:
        server = Downstream(self.door.http_url)
        self.addCleanup(server.close)
        for _ in range(2):
            with self.assertRaises(soap.Fault):
                server.sync()
        made = json.loads(self.door.command("report", "plain-http", "--json").stdout)
        jsonschema.validate(made, schema("report-plain-http"))
        rows = made["sections"]["since_start"]
        self.assertEqual([(r["peer"], r["operation"], r["refused"], r["passed"]) for r in rows],
                         [("127.0.0.1", "GetAuthConfig", 2, 0)])
        self.assertEqual(self.sections("plain-http"), {"plain_http": [], "since_start": []})

    def test_who_came_over_plain_http_and_was_let_in(self) -> None:
        door = self.gate(self.upstream(self.catalogue), plain_http="audit")
        server = Downstream(door.http_url)
        self.addCleanup(server.close)
        server.sync()
        done = run("report", "plain-http", "-d", str(door.state_dir), "--json")
        row, = json.loads(done.stdout)["sections"]["plain_http"]
        self.assertEqual((row["peer"], row["operation"], row["refused"]),
                         ("127.0.0.1", "GetUpdateData", 0))
        self.assertEqual(row["passed"], len(self.catalogue.revisions))

    def test_blocked(self) -> None:
        upstream = self.upstream(Catalogue(revisions=30, files=4, big=0, lies=True))
        door = self.gate(upstream)
        server = self.downstream(door)
        for claim in server.sync().claims.values():
            if claim.name.startswith("lie-sha256"):
                with self.assertRaises(Exception):
                    server.download(claim)
        done = run("report", "blocked", "-d", str(door.state_dir), "--json")
        made = json.loads(done.stdout)
        jsonschema.validate(made, schema("report-blocked"))
        rules = {r["rule"]: r for r in made["sections"]["by_rule"]}
        self.assertEqual(rules["file-sha256"]["blocked"], 1)
        self.assertGreater(rules["url-host-known"]["would_block"], 1)  # observed, not enforced
        self.assertEqual(sum(r["blocked"] for r in rules.values()), 1)
        peers = {r["rule"]: r["peer"] for r in made["sections"]["by_peer"]}
        self.assertEqual(peers, {"url-host-known": "127.0.0.1",
                                 "file-sha256": None})  # a transfer is for whoever waits

    def test_advisories_and_known_issues(self) -> None:
        bundle = self.catalogue.of_kind("bundle")[0]
        kb, files = self.kb(bundle), Path(self.door.directory)
        cvrf = files / "2026-Jan.xml"
        cvrf.write_text(
            '<c:cvrfdoc xmlns:c="http://www.icasi.org/CVRF/schema/cvrf/1.1" '
            'xmlns:v="http://www.icasi.org/CVRF/schema/vuln/1.1"><v:Vulnerability Ordinal="1">'
            "<v:Title>Kernel</v:Title><v:CVE>CVE-2026-0001</v:CVE><v:Remediations>"
            f'<v:Remediation Type="Vendor Fix"><v:Description>{kb}</v:Description>'
            "</v:Remediation></v:Remediations></v:Vulnerability></c:cvrfdoc>")
        csaf = files / "cve-2026-0002.json"
        csaf.write_text(json.dumps({
            "document": {"csaf_version": "2.0", "aggregate_severity": {"text": "Important"}},
            "vulnerabilities": [{
                "cve": "CVE-2026-0002", "title": "Print spooler",
                "scores": [{"cvss_v3": {"baseScore": 9.8}}],
                "remediations": [{"category": "vendor_fix",
                                  "url": f"https://support.example.test/help/KB{kb}"},
                                 {"category": "vendor_fix",
                                  "url": "https://support.example.test/help/9999999"}]}]}))
        notes, broken = files / "notes.txt", files / "broken.xml"
        notes.write_text(f"# what we saw\nKB{kb} 印刷できない\n")
        broken.write_text("<x>")

        def imported(*words: str, code: int = 0) -> str:
            done = run("import", *words, "-d", str(self.door.state_dir))
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stdout + done.stderr
        imported("advisories", str(cvrf), str(csaf), "--dry-run")
        self.assertEqual(self.sections("advisories")["advisories"], [])
        self.assertIn("broken.xml: ", imported("advisories", str(cvrf), str(broken), code=65))
        self.assertEqual(self.sections("advisories")["advisories"], [])
        imported("advisories", str(cvrf), str(csaf))
        imported("notes", str(notes))
        worst, other = self.sections("advisories")["advisories"]
        self.assertEqual((worst["cve"], worst["cvss"], worst["severity"], worst["in_custody"],
                          worst["missing"]), ("CVE-2026-0002", 9.8, "Important", [kb], ["9999999"]))
        self.assertEqual((other["cve"], other["cvss"]), ("CVE-2026-0001", None))
        found = self.sections("kb", kb)
        self.assertEqual({r["cve"] for r in found["advisories"]}, {"CVE-2026-0001",
                                                                   "CVE-2026-0002"})
        self.assertEqual(found["known_issues"], [{"kb": kb, "note": "印刷できない"}])
        self.assertEqual(found["updates"][0]["cvss"], 9.8)
        self.assertEqual(self.sections("severity")["by_severity"][0]["cve_count"], 2)
        self.assertIn("印刷できない", self.report("kb", kb).stdout)

    def test_freshness(self) -> None:
        row, = self.sections("freshness")["upstreams"]
        self.assertEqual((row["upstream"], row["days"], row["missed"]), ("head-office", 0, None))
        self.assertEqual(row["revisions"], len(self.catalogue.revisions))
        self.assertEqual(row["newest_published"], "2026-01-01")

    def test_without_the_daemon(self) -> None:
        before = {name: self.report(name, "--json").stdout for name in REPORTS}
        self.door.stop()
        for name in REPORTS:
            self.assertEqual(self.report(name, "--json").stdout, before[name])
            self.sections(name)

    def test_three_formats(self) -> None:
        rows = self.sections("updates")["updates"]
        made = list(csv.DictReader(io.StringIO(self.report("updates", "--format", "csv").stdout)))
        self.assertEqual([r["update_id"] for r in made], [r["update_id"] for r in rows])
        self.assertEqual([int(r["bytes"]) for r in made], [r["bytes"] for r in rows])
        table = self.report("updates", env={**os.environ, "COLUMNS": "72"}).stdout
        self.assertLessEqual(max(map(len, table.splitlines())), 72)
        self.assertIn("...", table)
        narrow = self.report("updates", env={**os.environ, "COLUMNS": "60"}).stdout
        self.assertIn("\nClassification: Security\n", narrow)
        wide = self.report("updates").stdout
        self.assertNotIn("...", wide)
        self.assertNotIn("\x1b", wide)
        for row in rows:
            self.assertIn(row["title"], wide)
        only = self.sections("sizes", "--section", "by_month")
        self.assertEqual(list(only), ["by_month"])

    def test_a_terminal(self) -> None:
        words = ("report", "updates", "-d", str(self.door.state_dir))
        shown = on_terminal(*words, env={"COLUMNS": "74", "TERM": "xterm", "NO_COLOR": ""})
        self.assertIn("\x1b[1m", shown)
        plain = on_terminal(*words, "--quiet",
                            env={"COLUMNS": "74", "TERM": "xterm", "NO_COLOR": "1"})
        self.assertNotIn("\x1b", plain)
        self.assertLessEqual(max(map(len, plain.splitlines())), 74)

    def test_wrong_words(self) -> None:
        for words in (("kb",), ("kb", "x1"), ("kb", "KB"), ("kb", "1", "2"), ("sizes", "1"),
                      ("sizes", "--format", "xml"), ("sizes", "--section", "by_colour"),
                      ("sizes", "--frobnicate"), ("nothing",)):
            done = run("report", *words, "-d", str(self.door.state_dir))
            self.assertEqual(done.returncode, USAGE, words)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
