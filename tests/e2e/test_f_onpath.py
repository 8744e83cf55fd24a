"""What attack programs put into replies to clients is cut out by the rule that knows it, and the
others flow; what no rule knows is found by custody, which was given every published update."""
import re
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
from gate import wait_until
from onpath import ATTACKS, put, tell
from pki import SOURCE
from planted import plant
from scene import Scene


class OnPath(Scene):
    def setUp(self) -> None:
        self.made = catalogue.Catalogue(61, 40, 5, big=0)
        self.honest = {r.local_id for r in self.made.revisions}
        self.up = self.upstream(self.made, "xpress")

    def policy(self, name: str = "strict-2026", **modes: str) -> str:
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "policy"
        text = (SOURCE / "policies" / f"{name}.policy").read_text()
        for rule, mode in modes.items():
            rule = rule.replace("_", "-")
            text, count = re.subn(rf"(?m)^{rule} .*$", f"{rule} {mode}", text)
            self.assertEqual(count, 1, rule)
        path.write_text(text)
        return str(path)

    def synced(self, **settings):
        """A gate through which a server was given everything honest."""
        gate = self.gate(self.up, **settings)
        self.downstream(gate).sync()
        return gate

    def refused(self, gate) -> str:
        folder = str(gate.state_dir)
        rows = gate.command("ledger", "list", "-d", folder).stdout.splitlines()
        shown = [gate.command("ledger", "show", "-d", folder, r.split()[0]).stdout
                 for r in rows if r.split()[2] == "edit"]
        return "\n".join(line.strip() for s in shown for line in s.splitlines()
                         if "told.refused" in line)

    def test_every_shape_in_both_replies(self) -> None:
        for name in [n for n, t in ATTACKS.items() if n not in ("careful", "perfect")]:
            with self.subTest(name):
                gate = self.synced()
                planted = put(self.made, name)
                try:
                    self.keeps_out(gate, planted, *ATTACKS[name].rules)
                finally:
                    self.take_back(planted)

    def keeps_out(self, gate, planted, page: str, extended: str) -> None:
        agent = self.agent(gate)
        scanned = agent.scan()
        self.assertEqual(set(scanned.updates) - {planted.child.local_id}, self.honest)
        self.assertEqual(set(scanned.extended), self.honest)
        # whoever asks for the child by its number is told nothing either
        agent._extended(sorted(self.honest)[:20] + [planted.child.local_id])
        self.assertEqual(set(scanned.extended), self.honest)
        gate.stop()
        said = self.refused(gate)
        self.assertRegex(said, rf"{planted.bundle.local_id}: ({page}): ")
        self.assertRegex(said, rf"1799999[01]: ({extended}): ")
        gate.verify_ledger()

    def take_back(self, planted) -> None:
        for r in (planted.bundle, planted.child):
            self.made.revisions.remove(r)

    def test_a_tool_by_its_name(self) -> None:
        gate = self.synced()
        planted = put(self.made, "careful")
        scanned = self.agent(gate).scan()
        self.assertEqual(set(scanned.updates), self.honest | planted.numbers)
        self.assertEqual(set(scanned.extended), self.honest | {planted.bundle.local_id})
        gate.stop()
        self.assertRegex(self.refused(gate), rf"{planted.child.local_id}: program-is-update: ")

    def test_what_no_rule_knows_is_not_in_custody(self) -> None:
        gate = self.synced(policy=self.policy(told_known="enforce withhold"))
        planted = put(self.made, "perfect")
        scanned = self.agent(gate).scan()
        self.assertEqual(set(scanned.updates), self.honest)
        self.assertEqual(set(scanned.extended), self.honest)
        gate.stop()
        self.assertRegex(self.refused(gate), rf"{planted.child.local_id}: told-known: ")

    def test_shipped_policies_count_what_is_not_in_custody(self) -> None:
        gate = self.synced()
        planted = put(self.made, "perfect")
        scanned = self.agent(gate).scan()
        self.assertLessEqual(planted.numbers, set(scanned.updates))
        wait_until("it is counted", lambda: "told-known" in {
            r["rule"] for r in gate.status()["would_refuse"]})
        rows = [r for r in gate.status()["would_refuse"] if r["rule"] == "told-known"]
        self.assertEqual([(r["mode"], r["peer"]) for r in rows], [("observe", "127.0.0.1")])

    def test_observing_lets_them_pass(self) -> None:
        gate = self.synced(policy=SOURCE / "policies" / "observe-2026.policy")
        planted = put(self.made, "wsuspect")
        scanned = self.agent(gate).scan()
        self.assertEqual(set(scanned.extended), self.honest | planted.numbers)
        wait_until("both are counted", lambda: {"shape-wsuspect", "category-reached"} <= {
            r["rule"] for r in gate.status()["would_refuse"]})

    def test_a_reply_may_be_refused_for_it(self) -> None:
        gate = self.synced(policy=self.policy(shape_wsuspicious="enforce refuse"))
        put(self.made, "wsuspicious")
        self.assert_refused(self.agent(gate).scan, "shape-wsuspicious")

    def test_in_the_database(self) -> None:
        """The document is withheld from servers and all that is told of it from clients."""
        for name in ("wsuspendu", "sharpwsus"):
            with self.subTest(name):
                planted = plant(self.made, name)
                tell(name, planted.child, planted.bundle, planted.file)
                gate = self.gate(self.up)
                self.downstream(gate).sync(partial=True)
                scanned = self.agent(gate).scan()
                self.assertEqual(set(scanned.updates), self.honest)
                self.assertEqual(set(scanned.extended), self.honest)
                self.take_back(planted)


if __name__ == "__main__":
    unittest.main()
