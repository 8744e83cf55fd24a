"""One planted update among many: it is withheld, the others flow, the next run is quiet.

With --full the upstream has 10,000 revisions, else 600.
"""
import sys
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
from downstream import Mismatch
from pki import SOURCE
from planted import SHAPES, plant
from scene import Scene

REVISIONS = 10_000 if "--full" in sys.argv else 600


class Planted(Scene):
    def entries(self, gate, kind: str) -> list[str]:
        lines = gate.command("ledger", "list", "-d", str(gate.state_dir)).stdout.splitlines()
        return [line for line in lines if line.split()[2] == kind]

    def test_one_among_many(self) -> None:
        made = catalogue.Catalogue(71, REVISIONS, 20, big=0)
        honest = set(made.by_key)
        planted = plant(made, "wsuspendu", len(made.revisions) // 2)
        upstream = self.upstream(made, "xpress")
        gate = self.gate(upstream)
        first = self.downstream(gate)
        synced = first.sync(partial=True)
        self.assertEqual(set(synced.documents), honest)
        for key in honest:
            self.assertEqual(synced.documents[key], made.by_key[key].document)
        self.assertEqual(set(synced.withheld), planted.keys)
        self.assertNotIn(planted.file.sha1, synced.claims)
        self.assertEqual(len(self.entries(gate, "withheld")), 2)
        with self.assertRaisesRegex(Mismatch, r"\b404\b"):
            claim = next(iter(synced.claims.values()))
            claim.sha1, claim.name = planted.file.sha1, planted.file.name
            first.download(claim)
        self.second_run(upstream, gate, honest)

    def second_run(self, upstream, gate, honest) -> None:
        """The list does not name it, so nobody asks, and nothing new is withheld."""
        before = self.entries(gate, "withheld"), self.entries(gate, "refusal")
        for restart in (False, True):
            if restart:
                gate.restart()
            again = self.downstream(gate).sync()
            self.assertEqual(set(again.documents), honest)
            self.assertEqual(again.withheld, [])
        self.assertEqual((self.entries(gate, "withheld"), self.entries(gate, "refusal")), before)
        gate.stop()
        gate.verify_ledger()


class Shapes(Scene):
    def test_every_shape_is_found_by_its_rule(self) -> None:
        made = catalogue.Catalogue(72, 60, 5, big=0)
        honest = set(made.by_key)
        names = [n for n in SHAPES if n != "perfect"]
        planted = {n: plant(made, n, 20 + 3 * i) for i, n in enumerate(names)}
        gate = self.gate(self.upstream(made))
        synced = self.downstream(gate).sync(partial=True)
        self.assertEqual(set(synced.documents), honest)
        gate.stop()
        found = {}
        lines = gate.command("ledger", "list", "-d", str(gate.state_dir)).stdout.splitlines()
        for line in lines:
            words = line.split()
            if words[2] == "withheld":
                found[words[3]] = words[4]
        for name, p in planted.items():
            for revision, rule in zip((p.child, p.bundle), p.rules):
                key = f"{revision.update_id}.{revision.number}"
                self.assertEqual(found.get(key), rule, f"{name}: {revision.kind}")

    def test_without_a_tell_tale_it_takes_a_witness(self) -> None:
        """What no rule over documents can see flows, as long as no witness is asked."""
        made = catalogue.Catalogue(73, 40, 5, big=0)
        planted = plant(made, "perfect")
        gate = self.gate(self.upstream(made))
        synced = self.downstream(gate).sync()
        self.assertLessEqual(planted.keys, set(synced.documents))


class Witnessed(Scene):
    """What no rule over documents can see is seen by somebody who was there before."""

    def export(self, made) -> str:
        """The ledger of another gate before the same upstream, as a witness section."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        before = self.gate(self.upstream(made))
        self.downstream(before).sync()
        before.stop()
        done = before.command("ledger", "export", "-d", str(before.state_dir),
                              str(folder / "ledger"))
        self.assertEqual(done.returncode, 0, done.stderr)
        key = (before.state_dir / "ledger" / "key.pub").read_text().strip()
        return f'witness "other" {{ kind = "export" file = "{folder}/ledger" key = "{key}" }}\n'

    def said(self, gate, update_id: str) -> list[str]:
        """The facts about witnesses in the only entry that is about an update itself."""
        rows = gate.command("ledger", "list", "-d", str(gate.state_dir)).stdout.splitlines()
        row = next(r for r in rows if update_id in r and r.split()[2] in ("revision", "withheld"))
        shown = gate.command("ledger", "show", "-d", str(gate.state_dir), row.split()[0])
        return sorted(x.strip() for x in shown.stdout.splitlines() if "witness." in x)

    def test_an_export_does_not_know_it(self) -> None:
        made = catalogue.Catalogue(73, 40, 5, big=0)
        witness, honest = self.export(made), set(made.by_key)
        planted = plant(made, "perfect")
        gate = self.gate(self.upstream(made), witnesses=witness)
        synced = self.downstream(gate).sync(partial=True)
        self.assertEqual(set(synced.documents), honest)
        self.assertEqual(set(synced.withheld), planted.keys)
        again = self.downstream(gate).sync()  # the list does not name it any more
        self.assertEqual((set(again.documents), again.withheld), (honest, []))
        gate.stop()
        self.assertEqual(self.said(gate, planted.child.update_id),
                         ["witness.agree 0", "witness.contradict 0", "witness.missing 1",
                          "witness.said other does-not-know"])
        self.assertIn("witness.said other agrees", self.said(gate, next(iter(honest))[0]))

    def test_an_export_knows_another_document(self) -> None:
        witness = self.export(catalogue.Catalogue(73, 40, 5, big=0))
        made = catalogue.Catalogue(73, 40, 5, big=0)
        changed = next(r for r in made.revisions if "Title>" in r.document)
        changed.document = changed.document.replace("Title>", "Title >", 1)
        gate = self.gate(self.upstream(made), witnesses=witness)
        self.assert_refused(self.downstream(gate).sync, "witness-no-contradiction")

    def test_an_export_that_is_not_whole(self) -> None:
        made = catalogue.Catalogue(73, 12, 2, big=0)
        witness = self.export(made)
        ledger = Path(witness.split('file = "')[1].split('"')[0])
        whole = ledger.read_bytes()
        gate = self.gate(self.upstream(made), witnesses=witness)
        for bad in (whole[:-1], whole + b"x", whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]):
            ledger.write_bytes(bad)
            checked = gate.command("config", "check", "-c", str(gate.config))
            self.assertEqual(checked.returncode, 78, checked.stderr)
            self.assertIn('witness "other"', checked.stderr)
        ledger.write_bytes(whole)
        checked = gate.command("config", "check", "-c", str(gate.config))
        self.assertEqual(checked.returncode, 0, checked.stderr)


class Judged(Scene):
    def test_what_a_stricter_policy_would_have_done(self) -> None:
        policies = SOURCE / "policies"
        made = catalogue.Catalogue(74, 40, 5, big=0)
        planted = plant(made, "sharpwsus")
        gate = self.gate(self.upstream(made), policy=policies / "observe-2026.policy")
        self.assertLessEqual(planted.keys, set(self.downstream(gate).sync().documents))
        gate.stop()
        judge = ("judge", "-d", str(gate.state_dir), "--policy")
        strict = gate.command(*judge, str(policies / "strict-2026.policy"))
        self.assertEqual(strict.returncode, 1)
        for key in planted.keys:
            self.assertRegex(strict.stdout, rf"{key[0]}\.{key[1]} .*was passed, would be withheld "
                                            "by shape-sharpwsus")
        self.assertRegex(strict.stdout, r"; 2 would change\n$")
        same = gate.command(*judge, str(policies / "observe-2026.policy"), "--by", "rule")
        self.assertEqual(same.returncode, 0)
        self.assertRegex(same.stdout, r"shape-sharpwsus +observe +2 +0\n")
        peers = gate.command(*judge, str(policies / "strict-2026.policy"), "--by", "peer")
        self.assertRegex(peers.stdout, r"127\.0\.0\.1 +\d+ +\d+ +2\n")
        self.assertEqual(gate.command(*judge, "/none").returncode, 66)
        self.assertEqual(gate.command("judge", "--by", "moon").returncode, 64)


if __name__ == "__main__":
    sys.argv = [a for a in sys.argv if a != "--full"]
    unittest.main()
