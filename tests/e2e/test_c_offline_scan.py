"""The offline catalogue in the daemon: fetched, proven, served; whatever comes instead, the last
good one stays in force."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
import offline
import planted as planting
import signing
from gate import hang_up, wait_until
from httpd import Reply, Request, Server
from pki import SOURCE
from scene import Scene
from wsus_upstream import server_context

PATH = "/catalog/wsusscn2.cab"
DAY = 86400


class Source:
    """Serves one body under one validator, over TLS."""

    def __init__(self, pair: tuple[str, str]) -> None:
        self.body, self.etag, self.status, self.kind = b"", '"0"', 200, "application/octet-stream"
        self.bad_once: bytes | None = None  # the next answer has this body instead
        self.cut_at: int | None = None
        self.server = Server(self.answer, server_context(*pair))
        self.url = f"https://localhost:{self.server.port}/wsusscan/wsusscn2.cab"

    def offer(self, body: bytes) -> None:
        self.body, self.etag = body, f'"{hash(body)}"'

    def answer(self, request: Request) -> Reply:
        if self.bad_once is not None:
            body, self.bad_once = self.bad_once, None
            return Reply(200, [("ETag", '"bad"')], body)
        if request.header("If-None-Match") == self.etag:
            return Reply(304, [("ETag", self.etag)])
        return Reply(self.status, [("ETag", self.etag), ("Content-Type", self.kind)], self.body,
                     cut_at=self.cut_at)


@unittest.skipUnless(signing.can_sign(), "nothing signs here")
class OfflineScan(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.files = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        signer = signing.Signer(cls.files)
        for name, updates in (("one", 300), ("two", 400)):
            offline.write(cls.files / f"{name}.cab", updates)
        for name, source, at in (("old", "one", -DAY), ("first", "one", 0), ("next", "two", DAY)):
            signer.sign(f"{source}.cab", f"{name}_signed.cab", signing.STAMPED + at)
        cls.old, cls.first, cls.next = (
            (cls.files / f"{n}_signed.cab").read_bytes() for n in ("old", "first", "next"))
        cls.unsigned = (cls.files / "two.cab").read_bytes()

    def setUp(self) -> None:
        self.source = Source(self.pki.pair("upstream"))
        self.addCleanup(self.source.server.close)
        self.up = self.upstream(catalogue.Catalogue(7, 3, 0))

    def open_gate(self, **settings):
        return self.gate(self.up, catalog=self.source.url,
                         code_signing_pins=self.files / "pins.txt",
                         code_signing_bundle=self.files / "bundle.pem", **settings)

    def looks(self, gate, result: str) -> int:
        return int(gate.metric("sallyport_catalog_looks_total", result=result))

    def wait_for(self, gate, result: str, count: int = 1) -> None:
        wait_until(f"{result} {count} times", lambda: self.looks(gate, result) >= count)

    def get(self, gate, **headers: str):
        wire = self.wire(gate.url)
        try:
            return wire.ask("GET", PATH, {k.replace("_", "-"): v for k, v in headers.items()})
        finally:
            wire.close()

    def assert_in_force(self, gate, body: bytes) -> None:
        reply = self.get(gate)
        self.assertEqual(reply.status, 200)
        self.assert_bytes(reply.body, body)

    def said(self, gate) -> list[str]:
        return [line["why"] for line in gate.log()
                if line["event"] == "catalog" and line.get("why")]

    def find(self, gate, kb: str) -> subprocess.CompletedProcess:
        return gate.command("catalog", "find", kb)

    def test_fetched_and_served(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        self.assert_in_force(gate, self.first)
        whole = self.get(gate)
        part = self.get(gate, Range="bytes=100000-100099")
        self.assertEqual((part.status, part.body), (206, self.first[100000:100100]))
        self.assertEqual(part.headers["etag"], whole.headers["etag"])
        self.assertEqual(whole.headers["last-modified"], "Sun, 15 Jun 2025 15:06:40 GMT")
        self.assertEqual(whole.headers["cache-control"], "no-cache")
        self.assertEqual(self.get(gate, If_None_Match=whole.headers["etag"]).status, 304)
        self.assertEqual(self.find(gate, offline.kb(0)).returncode, 0)
        self.assertIn("signed      2025-06-15T15:06:40Z", gate.command("catalog", "status").stdout)
        kinds = gate.command("ledger", "list").stdout
        self.assertIn("catalogue", kinds)
        self.assertEqual(gate.metric("sallyport_catalog_signing_timestamp_seconds"),
                         signing.STAMPED)
        gate.verify_ledger()

    def witnessed(self, claimed: int | None):
        """What a downstream gets while the catalogue is a witness and somebody planted an update:
        one of its own when claimed is None, else the catalogue's first with file claimed."""
        self.source.offer(self.first)
        made = catalogue.Catalogue(7, 3, 0)
        planted = planting.plant(made, "perfect")
        if claimed is not None:
            self.give(made, planted, 0, claimed)
        self.up = self.upstream(made)
        gate = self.open_gate(witnesses='witness "scan" { kind = "catalogue" }\n')
        self.wait_for(gate, "new")
        return gate, planted, made

    def give(self, made, planted, update: int, claimed: int) -> None:
        """What is planted calls itself an update of the catalogue, with a file of the catalogue."""
        name = str(offline.update_id(update))
        for old, new in ((planted.child.update_id, name),
                         (offline.b64(planted.file.sha1), offline.b64(offline.sha1(claimed))),
                         (offline.b64(planted.file.sha256),
                          offline.b64(offline.sha256(claimed)))):
            for revision in (planted.child, planted.bundle):
                revision.document = revision.document.replace(old, new)
        del made.by_key[planted.child.key]
        planted.child.update_id = name
        made.by_key[planted.child.key] = planted.child
        planted.file.claim_sha1 = offline.sha1(claimed)
        planted.file.claim_sha256 = offline.sha256(claimed)

    def test_a_witness_that_does_not_know_a_program(self) -> None:
        gate, planted, made = self.witnessed(None)
        synced = self.downstream(gate).sync(partial=True)
        self.assertEqual(set(synced.withheld), planted.keys)
        self.assertEqual(set(synced.documents), set(made.by_key) - planted.keys)
        self.assertIn("verdict.rule command-witnessed", self.shown(gate, planted))

    def test_a_witness_that_knows_it(self) -> None:
        gate, planted, made = self.witnessed(claimed=0)
        synced = self.downstream(gate).sync()
        self.assertEqual(set(synced.documents), set(made.by_key))
        shown = self.shown(gate, planted)
        self.assertIn("catalog.appears true", shown)
        self.assertIn("witness.said scan agrees", shown)

    def test_a_witness_that_knows_other_files(self) -> None:
        gate, planted, _ = self.witnessed(claimed=4)
        self.assert_refused(self.downstream(gate).sync, "witness-no-contradiction")
        shown = self.shown(gate, planted)
        self.assertIn("catalog.contradicts true", shown)
        self.assertIn("witness.said scan contradicts", shown)

    def test_a_newer_catalogue_goes_through_what_was_recorded(self) -> None:
        """Update 392 is in the next catalogue only, and is recorded here with another file."""
        self.source.offer(self.first)
        made = catalogue.Catalogue(7, 3, 0)
        known, lied = planting.plant(made, "careful"), planting.plant(made, "perfect")
        for planted, update, claimed in ((known, 0, 0), (lied, 392, 4)):
            self.give(made, planted, update, claimed)
        self.up = self.upstream(made)
        gate = self.open_gate(posture="standard",
                              policy=SOURCE / "policies" / "observe-2026.policy",
                              witnesses='witness "scan" { kind = "catalogue" }\n')
        self.wait_for(gate, "new")
        self.downstream(gate).sync()

        def said() -> tuple:
            row, = json.loads(gate.command("posture", "--json").stdout)["witnesses"]
            return row["agrees"], row["contradicts"], row["does_not_know"]
        gate.command("recheck")
        others = len(made.revisions) - 2
        wait_until("it knows one", lambda: said() == (1, 0, others + 1))
        self.source.offer(self.next)
        hang_up(gate)
        self.wait_for(gate, "new", 2)
        wait_until("the next one knows better", lambda: said() == (1, 1, others))
        wait_until("the posture says so", lambda: "witness-contradicts" in
                   gate.command("posture", "--json").stdout)

    def shown(self, gate, planted) -> str:
        """The newest entry about the planted program."""
        rows = gate.command("ledger", "list", "--from", "0").stdout.splitlines()
        number = [r for r in rows if planted.child.update_id in r][-1].split()[0]
        return gate.command("ledger", "show", number).stdout

    def test_only_over_tls(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        plain = self.wire(gate.http_url).ask("GET", PATH)
        self.assertEqual(plain.status, 403)
        self.assertIn(PATH.encode(), plain.body)
        self.assertEqual(self.wire(gate.url).ask("DELETE", PATH).status, 405)

    def test_before_the_first(self) -> None:
        self.source.status = 500
        gate = self.open_gate()
        self.wait_for(gate, "failed")
        reply = self.get(gate)
        self.assertEqual((reply.status, reply.headers["retry-after"]), (503, "60"))
        self.assertEqual(gate.metric("sallyport_catalog_signing_timestamp_seconds"), 0)
        self.assertIn("the source answered 500", self.said(gate))
        self.source.status = 200
        self.source.offer(self.first)
        self.wait_for(gate, "new")  # two seconds later, by itself
        self.assert_in_force(gate, self.first)

    def test_unchanged_is_not_fetched_again(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        hang_up(gate)
        self.wait_for(gate, "same")
        self.assertEqual(self.source.server.requests()[-1].header("If-None-Match"),
                         self.source.etag)
        fetched = gate.metric("sallyport_catalog_bytes_total")
        self.assertEqual(fetched, len(self.first))
        self.source.etag = '"another validator"'  # the same bytes under another name
        hang_up(gate)
        self.wait_for(gate, "same", 2)
        gate.restart()
        self.wait_for(gate, "same")
        self.assert_in_force(gate, self.first)

    def test_replaced_by_a_newer_one(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        self.assertEqual(self.find(gate, offline.kb(390)).returncode, 1)
        before = self.get(gate)
        self.source.offer(self.next)
        hang_up(gate)
        self.wait_for(gate, "new", 2)
        self.assert_in_force(gate, self.next)
        since = self.get(gate, If_Modified_Since=before.headers["last-modified"])
        self.assertEqual(since.status, 200)
        self.assertEqual(self.find(gate, offline.kb(390)).returncode, 0)
        place = gate.cache_dir / "catalog"
        self.assertEqual(len(list(place.glob("index-*"))), 1)
        self.assertEqual(len([p for p in (place / "objects").rglob("*")
                              if p.is_file() and ".tree" not in p.name]), 1)

    def test_an_index_that_is_lost_or_wrong_is_made_again(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        place = gate.cache_dir / "catalog"
        index = next(place.glob("index-*"))
        whole = index.read_bytes()
        other = self.files / "planted.db"
        other.write_bytes(whole)
        for harm in ("lost", "cut", "garbage", "linked", "no file"):
            with self.subTest(harm):
                self.assertEqual(gate.stop(), 0)
                index.unlink()
                if harm == "cut":
                    index.write_bytes(whole[:len(whole) // 2 & ~4095])
                elif harm == "garbage":
                    index.write_bytes(bytes(len(whole)))
                elif harm == "linked":
                    index.symlink_to(other)
                elif harm == "no file":
                    os.mkfifo(index)
                gate.start()
                self.wait_for(gate, "new")
                self.assertEqual(self.find(gate, offline.kb(0)).returncode, 0)
                self.assertTrue(index.is_file() and not index.is_symlink())
                self.assertEqual(other.read_bytes(), whole, "somebody wrote through the link")
                self.assert_in_force(gate, self.first)

    def test_what_says_which_is_in_force_is_planted(self) -> None:
        """A link in its place is not followed: the catalogue is fetched again."""
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        self.assertEqual(gate.stop(), 0)
        current = gate.cache_dir / "catalog" / "current"
        elsewhere = gate.directory / "elsewhere"
        current.rename(elsewhere)
        text = elsewhere.read_bytes()
        current.symlink_to(elsewhere)
        gate.start()
        self.wait_for(gate, "new")
        self.assertFalse(current.is_symlink())
        self.assertEqual(elsewhere.read_bytes(), text)
        self.assert_in_force(gate, self.first)

    def test_what_is_not_proven_never_comes_into_force(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        tampered = bytearray(self.next)
        tampered[len(tampered) // 2] ^= 1
        for count, (body, why) in enumerate((
                (self.unsigned, "there is no signature"), (bytes(tampered), "signature of"),
                (self.old, "older than the one in force"), (self.next[:-2000], "cut off"),
                (b"MZ but no cabinet", "no cabinet")), 1):
            with self.subTest(why):
                self.source.offer(body)
                hang_up(gate)
                self.wait_for(gate, "refused", count)
                self.assertTrue(any(why in said for said in self.said(gate)), self.said(gate))
                self.assert_in_force(gate, self.first)
        self.assertIn("refusal", gate.command("ledger", "list").stdout)
        self.assertEqual(list((gate.cache_dir / "catalog" / "staging").glob("*")), [])
        gate.restart()
        self.assert_in_force(gate, self.first)
        gate.verify_ledger()

    def test_transport_failures(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        self.source.offer(self.next)
        self.source.cut_at = 5000
        hang_up(gate)
        self.wait_for(gate, "failed", 1)
        self.assert_in_force(gate, self.first)
        self.source.cut_at, self.source.kind = None, "text/html"
        hang_up(gate)
        self.wait_for(gate, "failed", 2)
        self.assertTrue(any("web page" in why for why in self.said(gate)))
        self.source.kind = "application/octet-stream"
        hang_up(gate)
        self.wait_for(gate, "new", 2)
        self.assert_in_force(gate, self.next)

    def test_retried_on_another_connection(self) -> None:
        self.source.offer(self.first)
        self.source.bad_once = self.unsigned
        gate = self.open_gate()
        self.wait_for(gate, "new")
        self.assertEqual(self.looks(gate, "refused"), 1)
        used = [c for c in self.source.server.connections if c.requests]
        self.assertEqual([len(c.requests) for c in used], [1, 1])

    def test_too_large(self) -> None:
        self.source.offer(self.first + bytes(2 << 20))
        gate = self.open_gate(catalog_max_mib=1)
        self.wait_for(gate, "failed")
        self.assertTrue(any("max_mib" in why for why in self.said(gate)), self.said(gate))
        self.assertEqual(gate.metric("sallyport_catalog_bytes_total"), 0)

    def test_damage_on_disk(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        gate.stop()
        stored = next(p for p in (gate.cache_dir / "catalog" / "objects").rglob("*")
                      if p.is_file() and ".tree" not in p.name)
        stored.chmod(0o600)
        with stored.open("r+b") as file:
            file.seek(1000)
            file.write(b"\xff\x00\xff")
        gate.start()
        self.wait_for(gate, "same")
        with self.assertRaises(Exception):  # cut before a wrong byte goes out
            self.get(gate)
        self.wait_for(gate, "new")
        self.assert_in_force(gate, self.first)

    def test_killed_on_the_way(self) -> None:
        self.source.offer(self.first)
        gate = self.open_gate()
        self.wait_for(gate, "new")
        for _ in range(3):
            self.source.offer(self.next)
            hang_up(gate)
            gate.kill()
            gate.start()
            self.assertIn(self.get(gate).body, (self.first, self.next))
        wait_until("the next one", lambda: self.get(gate).body == self.next)
        self.assertEqual(self.find(gate, offline.kb(390)).returncode, 0)


if __name__ == "__main__":
    unittest.main()
