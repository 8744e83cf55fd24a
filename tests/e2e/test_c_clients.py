"""Windows Update clients through sallyport: many at once, compressed both ways, content from here."""
import threading
import unittest
from urllib.parse import urlsplit

import harness  # noqa: F401

import catalogue
import coding
import soap
from agent import Agent
from gate import Gate
from scene import Scene
from wire import Wire
from wsus_upstream import Upstream

AGENTS = 10


class Clients(Scene):
    def scene(self, **settings) -> tuple[catalogue.Catalogue, Upstream, Gate]:
        held = catalogue.Catalogue(23, 70, 6, big=0)
        up = self.upstream(held, "xpress")
        return held, up, self.gate(up, **settings)

    def told(self, gate: Gate) -> set[str]:
        """scheme://authority of all addresses that a scan is told."""
        scanned = self.agent(gate).scan()
        self.assertTrue(scanned.urls)
        return {"{0.scheme}://{0.netloc}".format(urlsplit(u)) for u in scanned.urls.values()}

    def fetch(self, urls: dict[bytes, str], claims: dict) -> None:
        """By the told addresses, as they stand."""
        for digest, url in urls.items():
            parts, claim = urlsplit(url), claims[digest]
            with Wire(f"{parts.scheme}://{parts.netloc}", self.pki.ca) as wire:
                answer = wire.ask("GET", parts.path)
            self.assertEqual((answer.status, len(answer.body)), (200, claim.size))

    def test_what_is_not_in_custody_is_left_alone(self) -> None:
        _, up, gate = self.scene()
        self.assertEqual(self.told(gate), {f"http://localhost:{up.plain.port}"})

    def test_what_is_in_custody_is_told_to_be_here(self) -> None:
        held, up, gate = self.scene()
        self.downstream(gate).sync()
        agent = self.agent(gate)
        scanned = agent.scan()
        self.assertEqual(set(scanned.urls), set(held.by_digest))
        self.assertEqual({urlsplit(u).netloc for u in scanned.urls.values()},
                         {f"localhost:{gate.port}"})
        self.assertEqual(agent.file_locations(list(scanned.urls)), scanned.urls)
        self.fetch(scanned.urls, scanned.claims)
        self.assertFalse([r for r in up.content_requests() if not r.tls])

    def test_part_of_it(self) -> None:
        """One file of many is in custody: one address is rewritten, the rest stays."""
        held, up, gate = self.scene()
        server = self.downstream(gate)
        server.authorize()
        revision = next(r for r in held.of_kind("leaf") if r.files)
        server.update_data([revision.key])
        known = {f.claim_sha1 for f in revision.files}
        for digest, url in self.agent(gate).scan().urls.items():
            place = f"localhost:{gate.port if digest in known else up.plain.port}"
            self.assertEqual(urlsplit(url).netloc, place)

    def test_by_configuration(self) -> None:
        _, up, gate = self.scene(file_locations="any")
        self.assertEqual(self.told(gate), {gate.url})
        gate.stop()
        gate.write_config(content_address=gate.http_url)
        gate.start()
        self.assertEqual(self.told(gate), {gate.http_url})
        gate.stop()
        gate.write_config(file_locations="relayed")
        gate.start()
        self.assertEqual(self.told(gate), {f"http://localhost:{up.plain.port}"})

    def soap_requests(self, up: Upstream) -> int:
        return len([r for r in up.requests() if r.method == "POST"])

    def test_the_sequence_of_one_agent_adds_no_round_trip(self) -> None:
        """Every operation of a client once, in its order: as many requests arrive as were sent."""
        held, up, gate = self.scene()
        self.downstream(gate).sync()
        before = self.soap_requests(up)
        agent = self.agent(gate)
        agent.scan()
        self.assertEqual(agent.scanned.pages, -(-len(held.revisions) // 30) + 2)
        by_number, agent.scanned.extended = agent.scanned.extended, {}
        for start in range(0, len(held.revisions), 50):
            agent.extended2([r.key for r in held.revisions[start:start + 50]])
        self.assertEqual(agent.scanned.extended, by_number)
        agent.file_locations(list(agent.scanned.urls))
        agent.call("StartCategoryScan", "<requestedCategories/>")
        agent.report()
        operations = [r.header("SOAPAction").rpartition("/")[2].strip('"') for r in up.requests()
                      if r.method == "POST"][before:]
        self.assertEqual(len(operations), agent.calls)
        self.assertEqual(operations[:4], ["GetConfig", "GetAuthorizationCookie", "GetCookie",
                                          "RegisterComputer"])
        self.assertEqual(set(operations[4:]), {
            "SyncUpdates", "GetExtendedUpdateInfo", "GetExtendedUpdateInfo2", "GetFileLocations",
            "StartCategoryScan", "ReportEventBatch"})
        self.assertEqual(gate.metric("sallyport_refusals_total"), 0)

    def test_compressed_both_ways_although_edited(self) -> None:
        """Pages come in xpress and go out in it with other addresses and a sealed cookie."""
        held, up, gate = self.scene()
        self.downstream(gate).sync()
        agent = self.agent(gate)
        agent.register()
        envelope = soap.client_request("SyncUpdates", soap.NAMESPACES[soap.CLIENT], (
            f"{agent.cookie}<parameters><ExpressQuery>false</ExpressQuery><SkipSoftwareSync>false"
            "</SkipSoftwareSync><ComputerSpec/></parameters>"))
        before = up.coded["xpress"]
        sizes = {}
        for accept in ("xpress", ""):
            answer = agent.wire.post(soap.CLIENT, soap.action(soap.CLIENT, "SyncUpdates"),
                                     envelope, accept)
            self.assertEqual((answer.status, answer.coding), (200, accept))
            body = coding.decode(answer.coding, answer.body)
            sizes[accept] = len(answer.body)
            updates = soap.children(soap.child(soap.body_of(body), "SyncUpdatesResult",
                                               "NewUpdates"), "UpdateInfo")
            self.assertEqual([soap.text(u, "Xml") for u in updates],
                             [r.core for r in held.revisions[:30]])
        self.assertEqual(up.coded["xpress"], before + 1)  # asked for as the client asked
        self.assertLess(sizes["xpress"], sizes[""])

    def test_many_agents_at_once(self) -> None:
        held, up, gate = self.scene()
        self.downstream(gate).sync()
        before = self.soap_requests(up)
        agents = [Agent(gate.url, self.pki.ca, gate.http_url) for _ in range(AGENTS)]
        failed: list[BaseException] = []

        def run(agent: Agent) -> None:
            try:
                with agent:
                    scanned = agent.scan()
                    for claim in scanned.claims.values():
                        agent.download(claim)
                    agent.extended2([r.key for r in held.revisions[:50]])
                    agent.file_locations(list(scanned.urls))
                    agent.call("StartCategoryScan", "<requestedCategories/>")
                    agent.report()
            except BaseException as broken:  # noqa: BLE001 - told by the test
                failed.append(broken)

        threads = [threading.Thread(target=run, args=(a,)) for a in agents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        for agent in agents:
            self.assertEqual(agent.scanned.updates,
                             {r.local_id: r.core for r in held.revisions})
            pages = -(-len(held.revisions) // 30)
            self.assertEqual(agent.scanned.pages, pages + 2)  # an empty one, and the drivers
        self.assertEqual(len(up.reports), AGENTS)
        joined = gate.metric("sallyport_joined_total")  # some may share one answer; none is added
        self.assertEqual(self.soap_requests(up) - before + joined, sum(a.calls for a in agents))
        self.assertGreater(up.coded.get("xpress", 0), 0)
        self.assertEqual(gate.metric("sallyport_refusals_total"), 0)


if __name__ == "__main__":
    unittest.main()
