"""Three sallyports: one whose ledger two others cosign before it is shown, and who follows it.
Notes are checked by tests/support/tlog.py."""
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness  # noqa: F401

import soap
import tlog
from catalogue import Catalogue
from gate import Gate, run
from scene import Scene
from wire import Wire


class Cosigned(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(41, 300, 6, 0)

    def top(self, name: str = "example.net/top", **settings) -> Gate:
        settings.setdefault("listener_more", 'custody = "on"\n')
        return self.gate(self.upstream(self.catalogue), ledger_name=name, **settings)

    def key_of(self, gate: Gate, folder: str = "ledger") -> str:
        return (gate.state_dir / folder / "key.pub").read_text().strip()

    def cosigner(self, name: str, *tops: Gate) -> Gate:
        return self.gate(self.upstream(self.catalogue), ledger_name=name,
                         listener_more='tlog_witness = "on"\n',
                         cosigns=[self.key_of(top) for top in tops])

    def section(self, gate: Gate, url: str = "") -> str:
        pins = ", ".join(f'"{p}"' for p in gate.default_pins())
        return (f'cosigner "{gate.settings["ledger_name"]}" {{ url = "{url or gate.url}/witness" '
                f'ca_file = "{self.pki.ca}" pins = {{ {pins} }} '
                f'key = "{self.key_of(gate, "witness")}" }}\n')

    def cosigned(self, top: Gate, wanted: int, *gates: Gate) -> None:
        top.write_config(witnesses="".join(map(self.section, gates)), cosignatures=wanted)
        top.restart()

    def checkpoint(self, gate: Gate):
        wire = Wire(gate.url, self.pki.ca)
        try:
            return wire.ask("GET", "/custody/checkpoint")
        finally:
            wire.close()

    def wait_for(self, condition, what: str):
        deadline = time.monotonic() + 20
        while not (found := condition()):
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.1)
        return found

    def shown(self, top: Gate, *gates: Gate) -> bytes | None:
        """The checkpoint of all there is, once it has the cosignatures of all of these."""
        reply = self.checkpoint(top)
        if reply.status != 200:
            return None
        size = tlog.open_checkpoint(reply.body, tlog.key_of(self.key_of(top))).size
        keys = [tlog.key_of(self.key_of(g, "witness"), tlog.COSIGNER) for g in gates]
        times = [tlog.cosignature_times(reply.body, k) for k in keys]
        whole = size == top.status()["ledger"]["entries"] and all(len(t) == 1 for t in times)
        return reply.body if whole else None

    def grow(self, top: Gate) -> None:
        """One more entry."""
        entries = top.status()["ledger"]["entries"]
        self.assertEqual(top.command("lockdown", "on").returncode, 0)
        self.wait_for(lambda: top.status()["ledger"]["entries"] > entries, "an entry")

    def said(self, gate: Gate, event: str) -> str:
        return "\n".join(line["message"] for line in gate.log() if line["event"] == event)

    def test_c_a_checkpoint_is_shown_with_its_cosignatures(self) -> None:
        top = self.top()
        west, east = (self.cosigner(f"example.net/{n}", top) for n in ("west", "east"))
        self.cosigned(top, 2, west, east)
        self.downstream(top).sync()
        self.wait_for(lambda: self.shown(top, west, east), "two cosignatures")
        self.assertGreaterEqual(top.metric("sallyport_cosignatures_total", result="got"), 2)
        self.assert_bundle(top, "HEAD", west, east)
        east.stop()
        older = self.checkpoint(top).body
        self.grow(top)
        self.wait_for(lambda: "cosigner example.net/east: " in self.said(top, "cosigned").replace(
            "cosigner example.net/east: it cosigns", ""), "a silent one")
        self.assertEqual(self.checkpoint(top).body, older)
        self.assert_tiles(top, older)
        self.assert_bundle(top, "COSIGNED", west, east)
        east.start()
        self.wait_for(lambda: self.shown(top, west, east), "two cosignatures again")
        west.restart()
        top.restart()  # neither knows where the other stands
        self.assertEqual(self.checkpoint(top).status, 200)
        self.wait_for(lambda: self.shown(top, west, east), "two cosignatures of the start")

    def assert_bundle(self, top: Gate, upto: str, west: Gate, east: Gate) -> None:
        """A stranger sees who cosigned, and may demand it."""
        kb = next(line.split(" ", 1)[1] for text in self.entries(top, "revision")
                  for line in text.splitlines() if line.startswith("document.kb "))
        bundle, newest = (top.directory / name for name in ("bundle", "newest"))
        bundle.write_text(top.command("ledger", "prove", f"KB{kb}", "--upto", upto).stdout)
        newest.write_text(top.command("ledger", "prove", f"KB{kb}").stdout)
        proof = top.command("ledger", "prove", "0", "--upto", upto).stdout.encode()
        entry = top.command("ledger", "show", "0").stdout.encode()
        tlog.check_proof(proof, entry, tlog.key_of(self.key_of(top)))
        keys = [self.key_of(g, "witness") for g in (west, east)]
        listed = top.directory / "cosigners"
        listed.write_text("\n".join(keys) + "\n")
        stranger = tlog.verifier_key("example.net/north", bytes(32), tlog.COSIGNER)

        def verify(file: Path, cosigners: str, wanted: str):
            return run("ledger", "verify", str(file), "--key", self.key_of(top), "--cosigners",
                       cosigners, "--cosignatures", wanted)
        page = verify(bundle, str(listed), "2")
        self.assertEqual(page.returncode, 0, page.stderr)
        for name in ("west", "east"):
            self.assertRegex(page.stdout, rf"(?m)^cosigned by example.net/{name}, 20\d\d-")
        self.assertEqual(verify(bundle, ",".join([keys[0], stranger]), "1").returncode, 0)
        for cosigners, wanted in ((keys[0], "2"), (stranger, "1"),
                                  (f"{keys[0]},{keys[0]}", "2")):
            page = verify(bundle, cosigners, wanted)
            self.assertEqual((page.returncode, page.stdout), (1, ""))
        self.assertEqual(verify(newest, str(listed), "2").returncode, 1 if upto != "HEAD" else 0)

    def assert_tiles(self, top: Gate, note: bytes) -> None:
        """Whatever an older checkpoint needs is still shown, though the ledger grew."""
        key = tlog.key_of(self.key_of(top))
        size = tlog.open_checkpoint(note, key).size
        self.assertGreater(size, 256)
        wire, entries = self.wire(top.url), []
        for path, width in tlog.tiles("entries", size):
            bundle = tlog.unbundle(wire.ask("GET", f"/custody/{path}").body)
            self.assertEqual(len(bundle), width)
            entries += bundle
        leaves = [tlog.leaf_hash(e) for e in entries]
        self.assertEqual(tlog.root_of(leaves), tlog.open_checkpoint(note, key).root)
        for path, width in tlog.tiles(0, size):
            body = wire.ask("GET", f"/custody/{path}").body
            self.assertEqual(body, b"".join(leaves[:width] if width == 256 else leaves[-width:]))
        self.assertEqual(wire.ask("GET", f"/custody/{tlog.tile_path('entries', 9, 5)}").status, 404)

    def test_f_a_ledger_that_was_rolled_back_is_told_of(self) -> None:
        """A restored backup: whoever cosigned more says so, and signs no second history."""
        top = self.top()
        west = self.cosigner("example.net/west", top)
        self.downstream(top).sync()
        top.stop()
        backup = {p: p.read_bytes() for p in Path(top.state_dir, "ledger").rglob("*") if p.is_file()}
        top.start()
        self.cosigned(top, 1, west)
        self.grow(top)
        self.wait_for(lambda: self.shown(top, west), "a cosignature")
        top.stop()
        for path in Path(top.state_dir, "ledger").rglob("*"):
            if path.is_file() and path not in backup:
                path.unlink()
        for path, data in backup.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (top.state_dir / "lockdown").unlink()
        top.start()
        self.wait_for(lambda: "was rolled back" in self.said(top, "cosigned"), "a roll-back")

    def below(self, top: Gate, wanted: int, *cosigners: Gate, **settings) -> Gate:
        keys = ", ".join(f'"{self.key_of(g, "witness")}"' for g in cosigners)
        return self.gate(top.url, upstream_more=(
            f'custody = "require"\ncustody_key = "{self.key_of(top)}"\n'
            f"custody_cosigners = {{ {keys} }}\ncustody_cosignatures = {wanted}\n"), **settings)

    def entries(self, gate: Gate, kind: str) -> list[str]:
        log = tlog.Log(gate.state_dir / "ledger", tlog.key_of(self.key_of(gate)))
        shown = (entry.decode() for entry in log.entries)
        return [text for text in shown if text.startswith(f"entry.kind {kind}\n")]

    def test_c_a_follower_gets_what_it_demands(self) -> None:
        small = Catalogue(42, 40, 4, 0)
        top = self.gate(self.upstream(small), ledger_name="example.net/top",
                        listener_more='custody = "on"\n')
        west, east = (self.cosigner(f"example.net/{n}", top) for n in ("west", "east"))
        self.cosigned(top, 2, west, east)
        gate = self.below(top, 2, west, east)
        self.assert_synced(small, self.downstream(gate).sync())
        revisions = self.entries(gate, "revision")
        self.assertEqual(len(revisions), len(small.revisions))
        for text in revisions:
            self.assertIn("tier.cosigned 2\ntier.cosigned-wanted 2\n", text)
        text = "\n".join(self.entries(gate, "tier"))
        self.assertIn("tier.cosigner example.net/east\ntier.cosigner example.net/west\n", text)

    def test_f_a_follower_that_demands_two_refuses_one(self) -> None:
        small = Catalogue(43, 20, 4, 0)
        top = self.gate(self.upstream(small), ledger_name="example.net/top",
                        listener_more='custody = "on"\n')
        west, east = (self.cosigner(f"example.net/{n}", top) for n in ("west", "east"))
        self.cosigned(top, 1, west)
        leaf = small.of_kind("leaf")[0]
        self.ask(top, leaf)
        self.wait_for(lambda: self.shown(top, west), "a cosignature")
        gate = self.below(top, 2, west, east, posture="standard")
        stranger = self.below(top, 1, east)
        with ThreadPoolExecutor() as both:  # each waits a while for more cosignatures
            faults = both.map(lambda g: self.assert_refused(lambda: self.ask(g, leaf),
                                                            "tier-cosigned"), (gate, stranger))
        self.assertIn("by 1 of the cosigners", next(faults).message)
        self.assertIn("by 0 of the cosigners", next(faults).message)
        self.assertIn("1 of the cosigners that are known; 2 are demanded", self.said(gate, "tier"))
        self.wait_for(lambda: "tier-uncosigned" in gate.admin("/posture")[1], "a reason")
        self.ask(self.below(top, 1, west, east), leaf)  # the neighbour: one is enough
        self.cosigned(top, 2, west, east)  # and once both sign, it passes
        self.wait_for(lambda: self.shown(top, west, east), "two cosignatures")
        self.wait_for(lambda: self.passes(gate, leaf), "what both cosigned")
        self.wait_for(lambda: "tier-uncosigned" not in gate.admin("/posture")[1], "no reason")

    def ask(self, gate: Gate, revision) -> None:
        downstream = self.downstream(gate)
        downstream.authorize()
        downstream.update_data([revision.key])

    def passes(self, gate: Gate, revision) -> bool:
        try:
            self.ask(gate, revision)
        except soap.Fault:
            return False
        return True

    def test_f_without_cosigners_the_newest_is_shown(self) -> None:
        """What was cosigned before does not come back, older than what was shown since."""
        top = self.top()
        west = self.cosigner("example.net/west", top)
        self.cosigned(top, 1, west)
        self.wait_for(lambda: self.shown(top, west), "a cosignature")
        top.write_config(witnesses="", cosignatures=0)
        top.restart()
        self.downstream(top).sync()
        size = tlog.open_checkpoint(self.checkpoint(top).body, tlog.key_of(self.key_of(top))).size
        self.assertEqual(size, top.status()["ledger"]["entries"])
        west.stop()
        self.cosigned(top, 1, west)
        self.assertEqual(self.checkpoint(top).status, 503)


if __name__ == "__main__":
    unittest.main()
