"""Three tiers of sallyport: each proves what it passes on from the ledger of the one above; one in
the middle that lies about its history is found at the next contact, and named."""
import hashlib
import unittest

import harness  # noqa: F401

import tlog
from catalogue import Catalogue
from gate import Gate, run
from httpd import Reply, Request
from scene import Scene
from wsus_upstream import Upstream


class Middle(Upstream):
    """A tier that keeps a ledger of its own making, with its own key, and lies about it."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.seed = hashlib.sha256(b"middle").digest()
        self.entries: list[bytes] = []
        self.shown: int | None = None    # entries the checkpoint is about; None: all
        self.serve_custody = True

    @property
    def key(self) -> str:
        data = b"\1" + tlog.ed25519_public(self.seed)
        name = "sallyport/middle"
        return f"{name}+{tlog.key_id(name, data).hex()}+{tlog.base64_of(data)}"

    def record(self, revisions) -> None:
        for r in revisions:
            digest = hashlib.sha256(r.document.encode()).hexdigest()
            self.entries.append((f"entry.kind revision\nupdate.id {r.update_id}\n"
                                 f"update.revision {r.number}\ndocument.sha256 {digest}\n"
                                 "verdict.ruling passed\n").encode())

    def handle(self, request: Request) -> Reply:
        if not request.target.startswith("/custody/"):
            return super().handle(request)
        if not self.serve_custody:
            return Reply(404)
        size = len(self.entries) if self.shown is None else self.shown
        path = request.target.removeprefix("/custody/")
        if path == "checkpoint":
            return Reply(200, [("Content-Type", "text/plain")], self.checkpoint(size))
        for number, (name, width) in enumerate(tlog.tiles("entries", size)):
            if name == path:
                part = self.entries[number * tlog.WIDTH:number * tlog.WIDTH + width]
                return Reply(200, [], b"".join(len(e).to_bytes(2, "big") + e for e in part))
        return Reply(404)

    def checkpoint(self, size: int) -> bytes:
        root = tlog.root_of([tlog.leaf_hash(e) for e in self.entries[:size]])
        text = f"sallyport/middle\n{size}\n{tlog.base64_of(root)}\n"
        data = b"\1" + tlog.ed25519_public(self.seed)
        signed = tlog.key_id("sallyport/middle", data) + tlog.ed25519_sign(self.seed, text.encode())
        return f"{text}\n— sallyport/middle {tlog.base64_of(signed)}\n".encode()


def follow(key: str, mode: str = "require") -> str:
    return f'custody = "{mode}"\ncustody_key = "{key}"\n'


class Tiers(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(21, 60, 6, 0)

    def below(self, upstream, key: str, **settings) -> Gate:
        return self.gate(upstream, upstream_more=follow(key), **settings)

    def key_of(self, gate: Gate) -> str:
        return (gate.state_dir / "ledger" / "key.pub").read_text().strip()

    def tier_events(self, gate: Gate) -> list[str]:
        return [line["message"] for line in gate.log() if line["event"] == "tier"]

    def middle(self) -> Middle:
        upstream = Middle(self.catalogue, *self.pki.pair("upstream"))
        self.addCleanup(self._close_upstream, upstream)
        upstream.record(self.catalogue.revisions)
        return upstream

    def ask(self, gate: Gate, revision) -> None:
        downstream = self.downstream(gate)
        downstream.authorize()
        downstream.update_data([revision.key])

    def test_c_three_tiers_prove_everything(self) -> None:
        pins = {"pins": [self.pki.pins["intermediate"], self.pki.pins["spare"]]}
        top = self.gate(self.upstream(self.catalogue), listener_more='custody = "on"\n',
                        ledger_name="example.net/top")
        second = self.below(top.url, self.key_of(top), listener_more='custody = "on"\n',
                            ledger_name="example.net/second", **pins)
        third = self.below(second.url, self.key_of(second), ledger_name="example.net/third", **pins)
        self.assert_synced(self.catalogue, self.downstream(third).sync())
        for gate, origin in ((second, "example.net/top"), (third, "example.net/second")):
            gate.verify_ledger()
            shown = [gate.command("ledger", "show", str(n)).stdout
                     for n in range(gate.status()["ledger"]["entries"])]
            revisions = [s for s in shown if s.startswith("entry.kind revision\n")]
            self.assertEqual(len(revisions), len(self.catalogue.revisions))
            for text in revisions:
                self.assertIn("tier.state good\n", text)
                self.assertRegex(text, rf"tier.origin (sallyport/)?{origin}\n")
                document = text.split("document.sha256 ")[1].split("\n")[0]
                self.assertIn(f"tier.document-sha256 {document}\n", text)
        kb = next(line.split(" ", 1)[1] for text in revisions for line in text.splitlines()
                  if line.startswith("document.kb "))
        bundle = third.directory / "bundle"
        bundle.write_text(third.command("ledger", "prove", f"KB{kb}").stdout)
        page = run("ledger", "verify", str(bundle), "--key", self.key_of(third))
        self.assertIn("example.net/second", page.stdout)

    def test_f_what_is_not_in_its_ledger_is_refused(self) -> None:
        middle = self.middle()
        leaf = self.catalogue.of_kind("leaf")[0]
        gone = middle.entries.pop()  # frozen: the last revision was never recorded
        last = self.catalogue.revisions[-1]
        gate = self.below(middle, middle.key)
        self.ask(gate, leaf)
        self.assert_refused(lambda: self.ask(gate, last), "tier-proven")
        middle.entries.append(gone)
        self.ask(gate, last)

    def test_f_another_document_than_recorded(self) -> None:
        middle = self.middle()
        last = self.catalogue.revisions[-1]
        old = hashlib.sha256(last.document.encode()).hexdigest().encode()
        middle.entries[-1] = middle.entries[-1].replace(old, b"0" * 64)
        gate = self.below(middle, middle.key)
        fault = self.assert_refused(lambda: self.ask(gate, last), "tier-proven")
        self.assertIn("upstream's ledger names " + "0" * 64, fault.message)

    def lie(self, change, state: str, final: bool = True) -> None:
        """A middle that was good, then changes its history: found at the next contact."""
        middle = self.middle()
        leaf = self.catalogue.of_kind("leaf")[0]
        gate = self.below(middle, middle.key)
        self.ask(gate, leaf)
        gate.stop()
        change(middle)
        gate.start()
        self.assert_refused(lambda: self.ask(gate, leaf), "tier-proven")
        self.assertTrue(any(f" is {state} at " in e for e in self.tier_events(gate)),
                        self.tier_events(gate))
        self.assertIn(f"tier.state {state}\n", "".join(
            gate.command("ledger", "show", str(n)).stdout
            for n in range(gate.status()["ledger"]["entries"])))
        evidence = sorted(p.name for p in (gate.state_dir / "evidence").glob("*")) if final else []
        self.assertEqual(len(evidence), 2 if final else 0)
        if final:  # both branches, signed by the same key, and no way back
            notes = [(gate.state_dir / "evidence" / name).read_bytes() for name in evidence]
            for note in notes:
                tlog.open_checkpoint(note, tlog.key_of(middle.key))
            self.assertNotEqual(*notes)
            middle.entries, middle.shown = self.middle().entries, None
            gate.restart()
            self.assert_refused(lambda: self.ask(gate, leaf), "tier-proven")

    def test_f_rewritten(self) -> None:
        def rewrite(middle: Middle) -> None:
            middle.entries[3] = middle.entries[3].replace(b"passed", b"Passed")
            middle.entries.append(middle.entries[0])
        self.lie(rewrite, "forked")

    def test_f_forked(self) -> None:
        def change(middle: Middle) -> None:
            middle.entries[-1] = middle.entries[-1].replace(b"passed", b"Passed")
        self.lie(change, "forked")

    def test_f_truncated(self) -> None:
        self.lie(lambda middle: setattr(middle, "shown", 40), "truncated")

    def test_f_unsigned(self) -> None:
        self.lie(lambda middle: setattr(middle, "seed", bytes(32)), "unsigned", final=False)

    def test_f_silent(self) -> None:
        self.lie(lambda middle: setattr(middle, "serve_custody", False), "silent", final=False)

    def test_f_replayed(self) -> None:
        """An old checkpoint comes back while the gate runs."""
        middle = self.middle()
        last = self.catalogue.revisions[-1]
        middle.shown = len(middle.entries) - 1
        gate = self.below(middle, middle.key)
        self.ask(gate, self.catalogue.of_kind("leaf")[0])
        middle.shown = None
        self.ask(gate, last)
        middle.shown = len(middle.entries) - 1
        extra = Catalogue(22, 60, 6, 0).revisions[-1]
        middle.catalogue.by_key[extra.key] = extra
        self.addCleanup(middle.catalogue.by_key.pop, extra.key)
        self.assert_refused(lambda: self.ask(gate, extra), "tier-proven")
        self.assertTrue(any(" is replayed at " in e for e in self.tier_events(gate)))


if __name__ == "__main__":
    unittest.main()
