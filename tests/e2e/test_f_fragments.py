"""What clients are told of an update must be derived from the document in custody. What is not is cut
out of its page, or refuses it, as the policy says."""
import re
import tempfile
import unittest
from pathlib import Path
from xml.sax.saxutils import escape

import harness  # noqa: F401

import catalogue
import soap
from agent import Agent
from gate import Gate, wait_until
from pki import SOURCE
from planted import plant
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

    def refusing(self) -> Path:
        """strict-2026, but what differs refuses its page."""
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "policy"
        text = (SOURCE / "policies" / "strict-2026.policy").read_text()
        path.write_text(re.sub("(?m)^(fragment-derived +enforce) withhold$", r"\1", text))
        return path

    def command(self, held: catalogue.Catalogue) -> catalogue.Revision:
        return next(r for r in held.revisions if "<InstallCommand" in r.extended)

    def plant(self, revision: catalogue.Revision) -> None:
        honest = revision.extended
        revision.extended = honest.replace('Arguments="', 'Arguments="/evil ', 1)
        self.assertNotEqual(revision.extended, honest)

    def entries(self, gate: Gate, kind: str) -> list[str]:
        folder = str(gate.state_dir)
        listed = gate.command("ledger", "list", "-d", folder).stdout.splitlines()
        numbers = [line.split()[0] for line in listed if line.split()[2] == kind]
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
        held, _, gate = self.scene(policy=self.refusing())
        agent = self.agent(gate)
        agent.scan()
        revision = self.command(held)
        self.plant(revision)
        agent.scanned.extended.clear()
        self.refused(lambda: agent._extended([revision.local_id]))
        (entry,) = self.entries(gate, "refusal")
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
        held, _, gate = self.scene(policy=self.refusing())
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
        held, _, gate = self.scene(policy=self.refusing())
        agent = self.agent(gate)
        agent.scan()
        revision = self.command(held)
        revision.extended += "<"
        self.refused(lambda: agent._extended([revision.local_id]))

    def pages(self, target: str, agent: Agent, ids: list[int]) -> bytes:
        """GetExtendedUpdateInfo as its bytes."""
        listed = "".join(f"<int>{i}</int>" for i in ids)
        members = (f"{agent.cookie}<revisionIDs>{listed}</revisionIDs><infoTypes>"
                   "<XmlUpdateFragmentType>Extended</XmlUpdateFragmentType></infoTypes>")
        envelope = soap.client_request("GetExtendedUpdateInfo", soap.NAMESPACES[soap.CLIENT],
                                       members)
        wire = self.wire(target)
        reply = wire.ask("POST", soap.CLIENT, {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{soap.NAMESPACES[soap.CLIENT]}/GetExtendedUpdateInfo"'},
            envelope.encode() if isinstance(envelope, str) else envelope)
        self.assertEqual(reply.status, 200, reply.body[:2000])
        return reply.body

    def test_one_planted_update_is_cut_out_and_the_others_flow(self) -> None:
        held, up, gate = self.scene(file_locations="relayed", cookies="relayed")
        revision = self.command(held)
        self.plant(revision)
        agent = self.agent(gate)
        scanned = agent.scan()
        self.assertEqual(len(scanned.updates), len(held.revisions))  # its core is honest
        cut = [r for r in held.revisions if revision.update_id in r.document]  # and its bundle
        self.assertEqual(set(scanned.extended),
                         {r.local_id for r in held.revisions if r not in cut})
        self.assertEqual(gate.metric("sallyport_refusals_total"), 0)
        self.assertEqual(gate.metric("sallyport_withheld_total"), len(cut))
        (entry,) = self.entries(gate, "edit")
        for text in (f"edit.removed {revision.update_id}.{revision.number}\n",
                     "verdict.rule fragment-derived\n", "/evil",
                     "operation GetExtendedUpdateInfo\n"):
            self.assertIn(text, entry)
        # every other byte is the upstream's
        ids = [r.local_id for r in held.revisions][:50]
        theirs = self.pages(up.url, agent, ids).decode()
        without = theirs
        for r in cut:
            self.assertIn(r.local_id, ids)
            without = re.sub(f"<Update><ID>{r.local_id}</ID>.*?</Update>", "", without)
        self.assertNotEqual(without, theirs)
        self.assertEqual(self.pages(gate.url, agent, ids).decode(), without)
        gate.verify_ledger()

    def test_both_versions_are_kept(self) -> None:
        held, _, gate = self.scene()
        revision = self.command(held)
        self.plant(revision)
        agent = self.agent(gate)
        agent.register()
        folder = str(gate.state_dir)
        for _ in range(3):  # what comes again takes no room
            agent._page(False)
            agent._extended([revision.local_id])
        wait_until("the document is had again", lambda: "document" in gate.command(
            "ledger", "evidence", "-d", folder).stdout)
        rows = gate.command("ledger", "evidence", "-d", folder).stdout.splitlines()
        names = [row.split()[2] for row in rows]
        came, = (n for n in names if n.endswith(".fragment"))
        document, = (n for n in names if n.endswith(".document"))
        entry = self.entries(gate, "edit")[0]
        self.assertIn(f"fragment.text {came.split('.')[0]}\n", entry)
        self.assertIn(f"fragment.document {document.split('.')[0]}\n", entry)

        def kept(name: str) -> str:
            return gate.command("ledger", "evidence", "-d", folder, name).stdout
        self.assertEqual(kept(came), escape(revision.extended))
        self.assertEqual(kept(document), revision.document)
        for path in (f"/evidence/texts/{came}", f"/Content/{came[:2]}/{came}"):
            self.assertNotEqual(self.wire(gate.url).ask("GET", path).status, 200)

    def test_a_document_that_is_not_given_any_more(self) -> None:
        held, _, gate = self.scene()
        revision = self.command(held)
        self.plant(revision)
        revision.document = revision.document.replace("Title>", "Title >", 1)
        revision.__dict__.pop("blob", None)
        agent = self.agent(gate)
        agent.register()
        agent._page(False)
        agent._extended([revision.local_id])
        wait_until("it is told", lambda: any(
            line["event"] == "not_kept" and revision.update_id in line["message"]
            and "another digest" in line["message"] for line in gate.log()))
        names = gate.command("ledger", "evidence", "-d", str(gate.state_dir)).stdout
        self.assertIn(".fragment", names)
        self.assertNotIn(".document", names)

    def test_a_page_of_a_scan_loses_the_update_and_its_bundle(self) -> None:
        held, _, gate = self.scene()
        bundle = next(b for b in held.of_kind("bundle")
                      if any(c.update_id in b.document for c in held.of_kind("leaf")))
        child = next(c for c in held.of_kind("leaf") if c.update_id in bundle.document)
        child.core = child.core.replace("<ApplicabilityRules>", "<ApplicabilityRules><IsInstalled>"
                                        "<True /></IsInstalled>", 1)
        scanned = self.agent(gate).scan()
        missing = {r.local_id for r in held.revisions} - set(scanned.updates)
        self.assertIn(child.local_id, missing)
        self.assertLessEqual(missing, {r.local_id for r in held.revisions
                                       if r is child or child.update_id in r.document})
        self.assertEqual(gate.metric("sallyport_refusals_total"), 0)

    def test_what_servers_are_not_given_clients_are_not_told(self) -> None:
        held = catalogue.Catalogue(29, 70, 6, big=0)
        planted = plant(held, "careful")
        for r in (planted.child, planted.bundle):
            r.core = re.sub("^<Update[^>]*>|</Update>$", "", r.core)
            r.extended = r.localized = ""
        gate = self.gate(self.upstream(held, "xpress"))
        synced = self.downstream(gate).sync(partial=True)
        self.assertEqual(set(synced.withheld), planted.keys)
        scanned = self.agent(gate).scan()
        self.assertEqual(set(scanned.updates), {r.local_id for r in held.revisions
                                                if r.key not in planted.keys})
        self.assertTrue(any(planted.child.update_id in e and "SyncUpdates" in e
                            for e in self.entries(gate, "edit")))

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
