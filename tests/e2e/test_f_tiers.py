"""Three tiers of sallyport: each proves what it passes on from the ledger of the one above. The
one in the middle lies about its history: its owner writes its ledger anew, whole and signed by its
own key (tests/support/ledger_forger.c), and it finds nothing wrong with itself. Who follows it
finds it at the next contact, and names it."""
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import tlog
from catalogue import Catalogue
from downstream import Downstream
from gate import Gate, run, wait_until
from scene import Scene
from wsus_upstream import Upstream

FORGER = os.environ.get("LEDGER_FORGER", "")
CUSTODY = 'custody = "on"\n'


def key_of(gate: Gate, folder: str = "ledger") -> str:
    return (gate.state_dir / folder / "key.pub").read_text().strip()


def entries_of(gate: Gate) -> list[str]:
    """Every entry, read from the files by tests/support/tlog.py, which checks them all."""
    log = tlog.Log(gate.state_dir / "ledger", tlog.key_of(key_of(gate)))
    return [entry.decode() for entry in log.entries]


def revisions_of(gate: Gate) -> dict[int, str]:
    return {n: e for n, e in enumerate(entries_of(gate)) if e.startswith("entry.kind revision\n")}


def digest_of(entry: str) -> str:
    return entry.split("document.sha256 ")[1].split("\n")[0]


def forge(gate: Gate, *changes: str | int) -> None:
    """The owner's work on a middle that is stopped; it passes every check of its own."""
    subprocess.run([FORGER, gate.state_dir, *map(str, changes)], check=True, capture_output=True)
    gate.verify_ledger()


def forget_entries(gate: Gate, size: int) -> None:
    """The index goes on knowing revisions of entries that are to be cut off; what it says of them
    points at another entry."""
    with sqlite3.connect(gate.state_dir / "index") as index:
        kept = next(n for n in revisions_of(gate) if n < size)
        for table in ("revisions", "claims"):
            index.execute(f"UPDATE {table} SET entry = ? WHERE entry >= ?", (kept, size))
    index.close()


class Tiers(Scene):
    """The middle's state after most revisions went through it is made once, and copied."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(21, 60, 6, 0)
        cls.leaf = cls.catalogue.of_kind("leaf")[0]
        *cls.early, cls.second, cls.third, cls.fourth = cls.catalogue.revisions
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.up = Upstream(cls.catalogue, *cls.pki.pair("upstream"))
        cls.addClassCleanup(cls.up.close)
        cls.top = Gate(cls.up.url, cls.pki, listener_more=CUSTODY, ledger_name="example.net/top")
        cls.addClassCleanup(cls.top.close)
        cls.top.start()
        with cls.made(cls.folder / "made") as middle:
            cls.teach(middle, cls.early)
        cls.middle_key = key_of(middle)

    @classmethod
    def made(cls, directory: Path, **settings) -> Gate:
        return Gate(cls.top.url, cls.pki, directory=directory, ledger_name="example.net/middle",
                    listener_more=CUSTODY, **{"upstream_more": cls.follow(cls.top), **settings})

    @staticmethod
    def follow(above: Gate, more: str = "") -> str:
        return f'custody = "require"\ncustody_key = "{key_of(above)}"\n{more}'

    @classmethod
    def teach(cls, gate: Gate, revisions) -> None:
        """A server behind gate asks for revisions."""
        with Downstream(gate.url, cls.pki.ca, content=gate.http_url) as server:
            server.authorize()
            server.update_data([r.key for r in revisions])

    def middle(self, **settings) -> Gate:
        directory = Path(self.enterContext(tempfile.TemporaryDirectory())) / "middle"
        shutil.copytree(self.folder / "made", directory)
        gate = self.made(directory, **settings)
        self.addCleanup(gate.close)
        return gate.start()

    def below(self, above: Gate, more: str = "", **settings) -> Gate:
        return self.gate(above.url, upstream_more=self.follow(above, more), **settings)

    def refused(self, gate: Gate, revision):
        return self.assert_refused(lambda: self.teach(gate, [revision]), "tier-proven")

    def said(self, gate: Gate) -> list[str]:
        return [line["message"] for line in gate.log() if line["event"] == "tier"]

    def assert_named(self, gate: Gate, state: str, why: str) -> None:
        """In the log, in the ledger and on the page of postures: who it is, and what it did."""
        name = "the ledger example.net/middle of upstream head-office"
        wait_until(state, lambda: any(re.search(rf"{name} is {state} at .*{why}", line)
                                      for line in self.said(gate)))
        told = [e for e in entries_of(gate) if e.startswith("entry.kind tier\n")]
        self.assertIn(f"tier.state {state}\n", told[-1])
        self.assertIn("tier.origin example.net/middle\n", told[-1])

    # ---- nobody lies -------------------------------------------------------------------

    def test_c_three_tiers_prove_everything(self) -> None:
        middle = self.middle()
        bottom = self.below(middle, ledger_name="example.net/bottom")
        self.assert_synced(self.catalogue, self.downstream(bottom).sync())
        tiers = {"example.net/top": self.top, "example.net/middle": middle,
                 "example.net/bottom": bottom}
        above = ""
        for name, gate in tiers.items():
            gate.verify_ledger()
            revisions = revisions_of(gate)
            self.assertEqual(len(revisions), len(self.catalogue.revisions), name)
            self.assert_proven(gate, min(revisions), above)
            for text in revisions.values() if above else ():
                self.assertIn("tier.state good\n", text)
                self.assertIn(f"tier.origin {above}\n", text)
                self.assertIn(f"tier.document-sha256 {digest_of(text)}\n", text)
            above = name
        seen = [sorted(map(digest_of, revisions_of(g).values())) for g in tiers.values()]
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[1], seen[2], "one document of each, at every tier")

    def assert_proven(self, gate: Gate, number: int, above: str) -> None:
        """By another program than sallyport; and by sallyport, from a bundle that stands alone."""
        proof = gate.command("ledger", "prove", str(number)).stdout.encode()
        entry = gate.command("ledger", "show", str(number)).stdout.encode()
        key = tlog.key_of(key_of(gate))
        self.assertEqual(tlog.check_proof(proof, entry, key)[0], number)
        with self.assertRaises(tlog.Broken):
            tlog.check_proof(proof, entry + b"x 1\n", key)
        kb = next(line.split(" ", 1)[1] for text in revisions_of(gate).values()
                  for line in text.splitlines() if line.startswith("document.kb "))
        bundle = gate.directory / "bundle"
        bundle.write_text(gate.command("ledger", "prove", f"KB{kb}").stdout)
        page = run("ledger", "verify", str(bundle), "--key", key_of(gate))
        self.assertEqual(page.returncode, 0, page.stderr)
        self.assertIn(above, page.stdout)
        other = key_of(self.top) if gate is not self.top else self.middle_key
        self.assertEqual(run("ledger", "verify", str(bundle), "--key", other).returncode, 1)

    # ---- the middle lies ---------------------------------------------------------------

    def lie(self, change, state: str, why: str) -> None:
        """Bottom knows the honest middle; change() works on the stopped one. Then bottom asks for
        something new. The lie is final: the honest history afterwards heals nothing."""
        middle = self.middle()
        bottom = self.below(middle, posture="standard")
        self.teach(bottom, [self.leaf])
        middle.stop()
        honest = self.folder / self.id()
        shutil.copytree(middle.state_dir, honest)
        change(middle)
        if middle.process is None:
            middle.start()
        fault = self.refused(bottom, self.second)
        self.assertIn(state, fault.message)
        self.assert_named(bottom, state, why)
        wait_until("the posture", lambda: "tier-broken" in bottom.admin("/posture")[1])
        notes = [p.read_bytes() for p in sorted((bottom.state_dir / "evidence").iterdir())]
        self.assertEqual(len(notes), 2)
        for note in notes:
            tlog.open_checkpoint(note, tlog.key_of(self.middle_key))
        self.assertNotEqual(*notes)
        middle.stop()
        shutil.rmtree(middle.state_dir)
        shutil.copytree(honest, middle.state_dir)
        middle.start()
        bottom.restart()
        self.refused(bottom, self.third)

    def test_f_rewritten(self) -> None:
        """Another document under an old entry; it lives on, so its ledger has grown."""
        def rewrite(middle: Gate) -> None:
            number, entry = list(revisions_of(middle).items())[3]
            forge(middle, "rewrite", number, digest_of(entry), "0" * 64)
        self.lie(rewrite, "forked", "begins with other entries")

    def test_f_an_entry_left_out(self) -> None:
        """Two, in whose place the start and what is asked for put two others: as many as were
        seen."""
        def leave_out(middle: Gate) -> None:
            number = list(revisions_of(middle))[5]
            forge(middle, "drop", number, "drop", number)
        self.lie(leave_out, "forked", "of the same size and has other entries")

    def test_f_forked_from_an_old_size(self) -> None:
        """Cut to an old size, started, and filled by a real sallyport with the same revisions."""
        def fork(middle: Gate) -> None:
            forge(middle, "cut", list(revisions_of(middle))[20])
            middle.start()
            self.teach(middle, self.early)
        self.lie(fork, "forked", "begins with other entries")

    def test_f_truncated(self) -> None:
        """Entries are gone, and the index hides it from the middle itself: nothing it passes on
        makes its ledger grow."""
        def truncate(middle: Gate) -> None:
            middle.start()
            self.teach(middle, [self.second])
            middle.stop()
            size = list(revisions_of(middle))[30]
            forget_entries(middle, size)
            forge(middle, "cut", size, "index")
        self.lie(truncate, "truncated", "entries were cut off")

    def quiet(self) -> Gate:
        """A middle whose ledger does not grow by a start: it follows nobody itself."""
        return self.middle(upstream_more="")

    def hide(self, middle: Gate, revision, size: int) -> None:
        """The middle learns of a revision, and its ledger of size entries does not say so."""
        self.teach(middle, [revision])
        middle.stop()
        forget_entries(middle, size)
        forge(middle, "cut", size, "index")
        middle.start()

    def test_f_replayed(self) -> None:
        """The middle shows the ledger again that it had when bottom came first."""
        middle = self.quiet()
        bottom = self.below(middle)
        self.teach(bottom, [self.leaf])
        size = len(entries_of(middle))
        self.teach(bottom, [self.second])
        self.hide(middle, self.third, size)
        self.refused(bottom, self.third)
        self.assert_named(bottom, "replayed", "an old answer is replayed")
        self.assertEqual(list((bottom.state_dir / "evidence").glob("*")), [])

    def test_f_frozen(self) -> None:
        """What the middle passes on moves, its ledger does not."""
        middle = self.quiet()
        bottom = self.below(middle)
        self.teach(bottom, [self.leaf])
        size = len(entries_of(middle))
        self.hide(middle, self.second, size)
        fault = self.refused(bottom, self.second)
        self.assertIn("example.net/middle", fault.message)
        self.assertEqual(len(entries_of(middle)), size)
        self.teach(bottom, self.early)  # the neighbour: what its ledger does hold
        self.teach(middle, [self.third])
        self.teach(bottom, [self.third])

    def test_f_another_document_than_recorded(self) -> None:
        """Told to one who comes for the first time: the document that it passes on tells."""
        middle = self.middle()
        middle.stop()
        number, entry = next((n, e) for n, e in revisions_of(middle).items()
                             if f"update.id {self.leaf.update_id}\n" in e)
        document = hashlib.sha256(self.leaf.document.encode()).hexdigest()
        self.assertEqual(digest_of(entry), document)
        forge(middle, "rewrite", number, document, "0" * 64, "index")
        middle.start()
        fault = self.refused(self.below(middle), self.leaf)
        self.assertIn("upstream's ledger names " + "0" * 64, fault.message)

    def test_f_another_key(self) -> None:
        middle = self.middle()
        bottom = self.below(middle)
        self.teach(bottom, [self.leaf])
        middle.stop()
        shutil.rmtree(middle.state_dir / "ledger")
        middle.start()
        self.refused(bottom, self.second)
        self.assert_named(bottom, "unsigned", "")

    def test_f_silent(self) -> None:
        middle = self.middle()
        bottom = self.below(middle)
        self.teach(bottom, [self.leaf])
        middle.write_config(listener_more="")
        middle.restart()
        self.refused(bottom, self.second)
        self.assert_named(bottom, "silent", "cannot be read")
        middle.write_config(listener_more=CUSTODY)
        middle.restart()
        self.teach(bottom, [self.second])  # nothing was proven against it

    # ---- who else finds it -------------------------------------------------------------

    def test_f_a_clumsy_owner_is_found_by_the_middle_itself(self) -> None:
        middle = self.middle()
        middle.stop()
        journal = middle.state_dir / "ledger" / "journal"
        whole = journal.read_bytes()
        entry = digest_of(list(revisions_of(middle).values())[3]).encode()
        journal.write_bytes(whole.replace(entry, b"0" * 64))
        with self.assertRaisesRegex(AssertionError, "journal"):
            middle.start()
        journal.write_bytes(whole)
        middle.start()

    def test_f_a_newcomer_relies_on_cosigners(self) -> None:
        """Who never saw the honest history cannot miss it. A cosigner that did keeps both, signs
        only what continues it, and so the newcomer that demands a cosignature is not deceived."""
        middle = self.middle()
        west = self.gate(self.up, ledger_name="example.net/west", cosigns=[key_of(middle)],
                         listener_more='tlog_witness = "on"\n')
        pins = ", ".join(f'"{p}"' for p in west.default_pins())
        middle.write_config(cosignatures=1, witnesses=(
            f'cosigner "west" {{ url = "{west.url}/witness" ca_file = "{self.pki.ca}" '
            f'pins = {{ {pins} }} key = "{key_of(west, "witness")}" }}\n'))
        middle.restart()
        demands = (f'custody_cosigners = {{ "{key_of(west, "witness")}" }}\n'
                   "custody_cosignatures = 1\n")
        self.teach(self.below(middle, demands), [self.leaf])
        middle.stop()
        number, entry = list(revisions_of(middle).items())[3]
        forge(middle, "rewrite", number, digest_of(entry), "0" * 64)
        middle.start()
        wait_until("the middle is told", lambda: any(
            line["event"] == "cosigned" and "another history" in line["message"]
            for line in middle.log()))
        wait_until("west records it", lambda: any(
            re.search("tier.origin example.net/middle\n(.*\n)*tier.state (forked|unreadable)\n", e)
            for e in entries_of(west)))
        kept = {p.suffix for p in (west.state_dir / "evidence").iterdir()}
        self.assertEqual(kept, {".asked", ".seen"})
        self.refused(self.below(middle, demands), self.leaf)  # nothing cosigned is shown
        middle.write_config(cosignatures=0, witnesses="")
        middle.restart()
        self.assert_refused(lambda: self.teach(self.below(middle, demands), [self.leaf]),
                            "tier-cosigned")
        self.teach(self.below(middle), [self.leaf])  # who demands none is deceived


if __name__ == "__main__":
    unittest.main()
