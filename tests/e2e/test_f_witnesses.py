"""Witnesses that are asked over the network: a second upstream and another sallyport's ledger. They
are asked in the background; what they contradict is found after it was relayed, and stops."""
import unittest

import harness  # noqa: F401

import catalogue
from gate import wait_until
from pki import SOURCE
from planted import plant
from scene import Scene

SEED = (73, 40, 5)


class Witnesses(Scene):
    def section(self, name: str, url: str, more: str = "") -> str:
        pins = ", ".join(f'"{self.pki.pins[p]}"' for p in ("intermediate", "spare"))
        return (f'upstream "{name}" {{ url = "{url}" ca_file = "{self.pki.ca}" '
                f"pins = {{ {pins} }} {more} }}\n")

    def honest(self) -> catalogue.Catalogue:
        return catalogue.Catalogue(*SEED, big=0)

    def second(self, made, **settings):
        """A gate before an upstream with made; an honest one is its witness."""
        witness = self.upstream(self.honest())
        text = self.section("other", witness.url) + (
            'witness "second" { kind = "upstream" upstream = "other" }\n')
        return self.gate(self.upstream(made), witnesses=text, **settings)

    def contradictions(self, gate) -> int:
        return int(gate.metric("sallyport_witness_results_total", result="contradicts"))

    def entries(self, gate, kind: str) -> list[str]:
        lines = gate.command("ledger", "list", "-d", str(gate.state_dir)).stdout.splitlines()
        return [line for line in lines if line.split()[2] == kind]

    def ask(self, gate, revision) -> None:
        downstream = self.downstream(gate)
        downstream.authorize()
        downstream.update_data([revision.key])

    def test_a_second_upstream_does_not_know_it(self) -> None:
        made = self.honest()
        planted = plant(made, "perfect")
        gate = self.second(made)
        first = self.downstream(gate).sync(partial=True)  # nobody was asked yet
        self.assertEqual(set(first.documents), set(made.by_key))

        def withheld() -> set:
            synced = self.downstream(gate).sync(partial=True)
            return set(made.by_key) - set(synced.documents)
        wait_until("the planted update is withheld", lambda: withheld() == planted.keys)
        self.assertEqual(self.contradictions(gate), 0)
        gate.stop()
        row = next(r for r in self.entries(gate, "withheld") if planted.child.update_id in r)
        shown = gate.command("ledger", "show", "-d", str(gate.state_dir), row.split()[0]).stdout
        self.assertIn("verdict.rule command-witnessed\n", shown)
        self.assertIn("witness.said second does-not-know\n", shown)

    def test_a_second_upstream_has_another_document(self) -> None:
        made = self.honest()
        changed = next(r for r in made.revisions if "Title>" in r.document)
        changed.document = changed.document.replace("Title>", "Title >", 1)
        gate = self.second(made, posture="standard")
        self.assert_synced(made, self.downstream(gate).sync())
        wait_until("it is found", lambda: self.contradictions(gate) == 1)
        self.assert_refused(lambda: self.ask(gate, changed), "witness-no-contradiction")
        unchanged = next(r for r in made.revisions if r.key != changed.key)
        self.ask(gate, unchanged)
        wait_until("the posture says so", lambda: "witness-contradicts" in
                   gate.command("posture", "--json").stdout)
        events = [line["message"] for line in gate.log() if line["event"] == "witness"]
        self.assertEqual(len([e for e in events if changed.update_id in e]), 1, events)
        gate.stop()
        rows = self.entries(gate, "witness")
        self.assertEqual(len(rows), 1)
        shown = gate.command("ledger", "show", "-d", str(gate.state_dir),
                             rows[0].split()[0]).stdout
        for line in (f"update.id {changed.update_id}", "witness.contradict 1",
                     "witness.said second contradicts", "upstream.name head-office"):
            self.assertIn(line + "\n", shown)
        gate.verify_ledger()

    def test_a_second_upstream_that_is_away_says_nothing(self) -> None:
        made = self.honest()
        plant(made, "perfect")
        text = self.section("other", "https://localhost:1") + (
            'witness "second" { kind = "upstream" upstream = "other" }\n')
        gate = self.gate(self.upstream(made), witnesses=text)
        self.assert_synced(made, self.downstream(gate).sync())
        wait_until("it is told", lambda: any(
            line["event"] == "witness" and "cannot be asked" in line["message"]
            for line in gate.log()))
        self.assert_synced(made, self.downstream(gate).sync())

    def test_another_ledger_does_not_know_it(self) -> None:
        other = self.gate(self.upstream(self.honest()), listener_more='custody = "on"\n')
        self.downstream(other).sync()
        key = (other.state_dir / "ledger" / "key.pub").read_text().strip()
        text = self.section("other", other.url, f'custody = "observe" custody_key = "{key}"') + (
            'witness "branch" { kind = "ledger" upstream = "other" }\n')
        made = self.honest()
        planted = plant(made, "perfect")
        gate = self.gate(self.upstream(made), witnesses=text)
        wait_until("it is followed", lambda: any(
            line["event"] == "tier" and "is good" in line["message"] for line in gate.log()))
        synced = self.downstream(gate).sync(partial=True)
        self.assertEqual(set(made.by_key) - set(synced.documents), planted.keys)
        other.stop()

    def test_ledgers_say_three_things_before_the_first_answer(self) -> None:
        """An exported ledger and one that is followed: each entry has what each of them said."""
        other = self.gate(self.upstream(self.honest()), listener_more='custody = "on"\n')
        self.downstream(other).sync()
        key = (other.state_dir / "ledger" / "key.pub").read_text().strip()
        made = self.honest()
        changed, honest = made.of_kind("leaf")[:2]
        changed.document = changed.document.replace("Title>", "Title >", 1)
        planted = plant(made, "careful")
        gate = self.gate(self.upstream(made),
                         policy=SOURCE / "policies" / "observe-2026.policy")
        gate.stop()
        export = gate.config.parent / "export"  # where the sandbox lets it read
        self.assertEqual(other.command("ledger", "export", str(export)).returncode, 0)
        gate.write_config(witnesses=self.section(
            "other", other.url, f'custody = "observe" custody_key = "{key}"') + (
            'witness "branch" { kind = "ledger" upstream = "other" }\n'
            f'witness "paper" {{ kind = "export" file = "{export}" key = "{key}" }}\n'))
        gate.start()
        wait_until("it is followed", lambda: any(
            line["event"] == "tier" and "is good" in line["message"] for line in gate.log()))
        self.assert_synced(made, self.downstream(gate).sync())
        gate.stop()
        rows = self.entries(gate, "revision")
        for revision, said, count in ((changed, "contradicts", "contradict"),
                                      (planted.child, "does-not-know", "missing"),
                                      (honest, "agrees", "agree")):
            number = next(r for r in rows if revision.update_id in r).split()[0]
            shown = gate.command("ledger", "show", "-d", str(gate.state_dir), number).stdout
            for line in (f"witness.said branch {said}", f"witness.said paper {said}",
                         f"witness.{count} 2"):
                self.assertIn(line + "\n", shown)

    def test_nobody_is_a_witness_for_itself(self) -> None:
        """The upstream that sent it, named as a witness, says nothing about it."""
        made = self.honest()
        planted = plant(made, "perfect")
        gate = self.gate(self.upstream(made), witnesses=(
            'witness "itself" { kind = "upstream" upstream = "head-office" }\n'))
        synced = self.downstream(gate).sync(partial=True)
        self.assertLessEqual(planted.keys, set(synced.documents))
        gate.stop()
        text = "".join(gate.command("ledger", "show", "-d", str(gate.state_dir),
                                    row.split()[0]).stdout
                       for row in self.entries(gate, "revision")[:5])
        self.assertNotIn("witness.said", text)


if __name__ == "__main__":
    unittest.main()
