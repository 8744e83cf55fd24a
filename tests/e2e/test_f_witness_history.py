"""Witnesses and time: what they said outlives a restart, what was recorded before they came is gone
through when they come, and a contradiction that is resolved is one no more. For each of the four
kinds agreeing, contradicting and not knowing are three different things."""
import json
import unittest

import harness  # noqa: F401

import catalogue
from gate import hang_up, wait_until
from pki import SOURCE
from planted import plant
from scene import Scene

SEED = (73, 40, 5)
WITNESS = 'witness "second" { kind = "upstream" upstream = "other" }\n'


class History(Scene):
    # ---- what is there ------------------------------------------------------------------

    def honest(self) -> catalogue.Catalogue:
        return catalogue.Catalogue(*SEED, big=0)

    def mixed(self):
        """A catalogue with one document that is not the honest one, and two that nobody has."""
        made = self.honest()
        changed = next(r for r in made.revisions if "Title>" in r.document)
        self.change(changed)
        return made, changed, plant(made, "careful")

    def change(self, revision) -> None:
        revision.document = revision.document.replace("Title>", "Title >", 1)

    def upstream_section(self, name: str, url: str, more: str = "") -> str:
        pins = ", ".join(f'"{self.pki.pins[p]}"' for p in ("intermediate", "spare"))
        return (f'upstream "{name}" {{ url = "{url}" ca_file = "{self.pki.ca}" '
                f"pins = {{ {pins} }} {more} }}\n")

    def observing(self, made, **settings):
        """A gate that lets everything pass and says what it thinks of it."""
        return self.gate(self.upstream(made), posture="standard",
                         policy=SOURCE / "policies" / "observe-2026.policy", **settings)

    # ---- what is said -------------------------------------------------------------------

    def page(self, gate) -> dict:
        return json.loads(gate.admin("/posture")[1])

    def reasons(self, gate) -> list[str]:
        return [r["reason"] for u in self.page(gate)["upstreams"] if u["name"] == "head-office"
                for r in u["reasons"]]

    def said(self, gate, name: str) -> tuple:
        row = next((w for w in self.page(gate)["witnesses"] if w["name"] == name), None)
        return row and tuple(row[k] for k in ("agrees", "contradicts", "does_not_know",
                                              "has_not_said"))

    def entries(self, gate) -> list[str]:
        folder = str(gate.state_dir)
        lines = gate.command("ledger", "list", "-d", folder).stdout.splitlines()
        numbers = [line.split()[0] for line in lines if line.split()[2] == "witness"]
        return [gate.command("ledger", "show", "-d", folder, n).stdout for n in numbers]

    def wait_contradicted(self, gate) -> None:
        wait_until("it is contradicted", lambda: self.reasons(gate) == ["witness-contradicts"])

    def wait_conforming(self, gate) -> None:
        wait_until("all is well", lambda: self.page(gate)["posture"] == "conforming")

    def all_three(self, gate, name: str, made) -> None:
        """One contradicted, two unknown, the rest agreed to; and nobody is silent."""
        expected = (len(made.revisions) - 3, 1, 2, 0)
        wait_until(f"{name} says {expected}, not {self.said(gate, name)}",
                   lambda: self.said(gate, name) == expected)
        self.wait_contradicted(gate)

    # ---- a second upstream --------------------------------------------------------------

    def test_a_second_upstream_says_three_things_and_a_restart_forgets_none(self) -> None:
        made, changed, _ = self.mixed()
        honest = self.honest()
        witness = self.upstream(honest)
        section = self.upstream_section("other", witness.url) + WITNESS
        gate = self.observing(made, witnesses=section)
        self.downstream(gate).sync()
        wait_until("it is told", lambda: len(self.entries(gate)) == 1)
        gate.command("recheck")
        self.all_three(gate, "second", made)
        witness.close()
        gate.restart()
        self.all_three(gate, "second", made)
        self.assertEqual(len(self.entries(gate)), 1)  # and it is told once
        answers = gate.state_dir / "witnesses" / "second"
        self.assertGreater(answers.stat().st_size, len(made.revisions) * 50)
        gate.verify_ledger()

    def test_what_a_second_upstream_does_not_know_stays_so_over_a_restart(self) -> None:
        made = self.honest()
        planted = plant(made, "perfect")
        witness = self.upstream(self.honest())
        gate = self.gate(self.upstream(made), witnesses=self.upstream_section(
            "other", witness.url) + WITNESS)
        self.downstream(gate).sync(partial=True)

        def missing() -> set:
            synced = self.downstream(gate).sync(partial=True)
            return set(made.by_key) - set(synced.documents)
        wait_until("the planted update is withheld", lambda: missing() == planted.keys)
        witness.close()
        gate.restart()
        self.assertEqual(missing(), planted.keys)

    def test_answers_that_are_lost_are_asked_again(self) -> None:
        made, _, _ = self.mixed()
        witness = self.upstream(self.honest())
        gate = self.observing(made, witnesses=self.upstream_section(
            "other", witness.url) + WITNESS)
        self.downstream(gate).sync()
        wait_until("it is told", lambda: len(self.entries(gate)) == 1)
        gate.stop()
        answers = gate.state_dir / "witnesses" / "second"
        answers.write_bytes(answers.read_bytes()[:100])
        gate.start()
        wait_until("all was asked", lambda: answers.stat().st_size > len(made.revisions) * 50)
        gate.command("recheck")
        self.all_three(gate, "second", made)
        self.assertEqual(len(self.entries(gate)), 1)

    def test_a_contradiction_that_is_resolved(self) -> None:
        made = self.honest()
        theirs = self.honest()
        changed = next(r for r in theirs.revisions if "Title>" in r.document)
        honest = changed.document
        self.change(changed)
        witness = self.upstream(theirs)
        gate = self.observing(made, witnesses=self.upstream_section(
            "other", witness.url) + WITNESS)
        self.downstream(gate).sync()
        self.wait_contradicted(gate)
        changed.document = honest
        changed.__dict__.pop("blob", None)
        gate.command("recheck")
        self.wait_conforming(gate)
        against, no_longer = self.entries(gate)
        self.assertIn("witness.said second contradicts\n", against)
        self.assertIn("witness.said second agrees\n", no_longer)
        self.assertIn(changed.update_id, no_longer)

    def test_a_witness_that_is_dismissed(self) -> None:
        made, _, _ = self.mixed()
        witness = self.upstream(self.honest())
        section = self.upstream_section("other", witness.url)
        gate = self.observing(made, witnesses=section + WITNESS)
        self.downstream(gate).sync()
        self.wait_contradicted(gate)
        gate.write_config(witnesses=section)
        hang_up(gate)
        self.wait_conforming(gate)
        self.assertEqual(self.page(gate)["witnesses"], [])

    # ---- ledgers ------------------------------------------------------------------------

    def other_gate(self, made):
        other = self.gate(self.upstream(made), listener_more='custody = "on"\n')
        key = (other.state_dir / "ledger" / "key.pub").read_text().strip()
        return other, key

    def test_an_exported_ledger_that_comes_later(self) -> None:
        made, _, _ = self.mixed()
        gate = self.observing(made)
        self.downstream(gate).sync()
        self.wait_conforming(gate)
        other, key = self.other_gate(self.honest())
        self.downstream(other).sync()
        export = gate.config.parent / "export"  # where the sandbox lets it read
        done = other.command("ledger", "export", str(export))
        self.assertEqual(done.returncode, 0, done.stderr)
        gate.write_config(witnesses=f'witness "paper" {{ kind = "export" file = "{export}" '
                                    f'key = "{key}" }}\n')
        hang_up(gate)
        self.all_three(gate, "paper", made)
        entry, = self.entries(gate)
        self.assertIn("witness.said paper contradicts\n", entry)

    def test_a_followed_ledger_that_grows_later(self) -> None:
        made, _, _ = self.mixed()
        other, key = self.other_gate(self.honest())
        section = self.upstream_section("other", other.url,
                                        f'custody = "observe" custody_key = "{key}"')
        gate = self.observing(
            made, witnesses=section + 'witness "branch" { kind = "ledger" upstream = "other" }\n')
        self.downstream(gate).sync()
        nobody = (0, 0, len(made.revisions), 0)
        wait_until("it knows nothing", lambda: self.said(gate, "branch") == nobody)
        self.assertEqual(self.reasons(gate), [])
        self.downstream(other).sync()
        gate.command("recheck")
        self.all_three(gate, "branch", made)
        gate.restart()
        self.all_three(gate, "branch", made)
        self.assertEqual(len(self.entries(gate)), 1)
        other.stop()


if __name__ == "__main__":
    unittest.main()
