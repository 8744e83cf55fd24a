"""What clients are told of an update must be derived from the document in custody."""
import unittest

import harness  # noqa: F401

import catalogue
from agent import Agent
from gate import Gate
from pki import SOURCE
from scene import Scene
from wsus_upstream import Upstream

RULE = "fragment-derived"


class Fragments(Scene):
    def scene(self, synced: bool = True, **settings
              ) -> tuple[catalogue.Catalogue, Upstream, Gate]:
        held = catalogue.Catalogue(29, 70, 6, big=0)
        up = self.upstream(held, "xpress")
        gate = self.gate(up, **settings)
        if synced:
            self.downstream(gate).sync()
        return held, up, gate

    def command(self, held: catalogue.Catalogue) -> catalogue.Revision:
        return next(r for r in held.revisions if "<InstallCommand" in r.extended)

    def plant(self, revision: catalogue.Revision) -> None:
        honest = revision.extended
        revision.extended = honest.replace('Arguments="', 'Arguments="/evil ', 1)
        self.assertNotEqual(revision.extended, honest)

    def refusals(self, gate: Gate) -> list[str]:
        folder = str(gate.state_dir)
        listed = gate.command("ledger", "list", "-d", folder).stdout.splitlines()
        numbers = [line.split()[0] for line in listed if line.split()[2] == "refusal"]
        return [gate.command("ledger", "show", "-d", folder, n).stdout for n in numbers]

    def refused(self, call) -> None:
        with self.assertRaisesRegex(Exception, RULE):
            call()

    def others(self, agent: Agent, held: catalogue.Catalogue, planted) -> None:
        ids = [r.local_id for r in held.revisions if r is not planted]
        for start in range(0, len(ids), 50):
            agent._extended(ids[start:start + 50])
        self.assertEqual(set(agent.scanned.extended), set(ids))

    def test_what_agrees_flows(self) -> None:
        held, _, gate = self.scene()
        scanned = self.agent(gate).scan()
        self.assertEqual(scanned.updates, {r.local_id: r.core for r in held.revisions})
        self.assertEqual(len(scanned.extended), len(held.revisions))
        self.assertEqual(gate.metric("sallyport_refusals_total"), 0)

    def test_another_command(self) -> None:
        held, _, gate = self.scene()
        agent = self.agent(gate)
        agent.scan()
        revision = self.command(held)
        self.plant(revision)
        agent.scanned.extended.clear()
        self.refused(lambda: agent._extended([revision.local_id]))
        (entry,) = self.refusals(gate)
        digest = "[0-9a-f]{64}"
        self.assertRegex(entry, f"fragment.differs extended of {revision.update_id}."
                                f"{revision.number}: came {digest}, derived {digest}\n")
        self.assertIn("/evil", entry)  # as it came
        self.others(agent, held, revision)
        gate.restart()  # the numbers that the upstream gives are not forgotten
        fresh = self.agent(gate)
        fresh.register()
        self.refused(lambda: fresh._extended([revision.local_id]))

    def test_another_rule_or_title(self) -> None:
        held, _, gate = self.scene()
        agent = self.agent(gate)
        agent.scan()
        revision = next(r for r in held.revisions if "<IsInstalled>" in r.core)
        honest = revision.core
        revision.core = honest.replace("<IsInstalled>", "<IsInstalled><True />", 1)
        self.refused(self.agent(gate).scan)
        revision.core = honest
        honest = revision.localized
        revision.localized = honest.replace("<Title>", "<Title>Not ", 1)
        self.refused(lambda: agent._extended([revision.local_id]))
        revision.localized = honest
        self.agent(gate).scan()

    def test_a_text_that_cannot_be_read(self) -> None:
        held, _, gate = self.scene()
        agent = self.agent(gate)
        agent.scan()
        revision = self.command(held)
        revision.extended += "<"
        self.refused(lambda: agent._extended([revision.local_id]))

    def test_what_no_document_is_known_of_flows(self) -> None:
        held, _, gate = self.scene(synced=False)
        revision = self.command(held)
        self.plant(revision)
        self.assertEqual(len(self.agent(gate).scan().extended), len(held.revisions))

    def test_observed(self) -> None:
        held, _, gate = self.scene(policy=SOURCE / "policies" / "observe-2026.policy")
        revision = self.command(held)
        self.plant(revision)
        self.assertEqual(len(self.agent(gate).scan().extended), len(held.revisions))


if __name__ == "__main__":
    unittest.main()
