"""Equal scans at one time are one request to the upstream; equal in what the upstream would see,
the cookie that it gave too. Whoever is not owed that answer does not get it."""
import re
import tempfile
import threading
import unittest
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import harness  # noqa: F401

import catalogue
import soap
from agent import Agent
from downstream import identities
from gate import is_sanitized, wait_until
from pki import SOURCE
from scene import Scene
from wire import Wire

COOKIE = re.compile(rb"<EncryptedData>([^<]*)</EncryptedData>")
PARAMETERS = ("<parameters><ExpressQuery>false</ExpressQuery><SkipSoftwareSync>{skip}"
              "</SkipSoftwareSync></parameters>")
CONFIG = soap.client_request("GetConfig", soap.C, "<protocolVersion>2.90</protocolVersion>")
CROWD = 64


def scan_of(cookie: str, skip: str = "false") -> bytes:
    return soap.client_request("SyncUpdates", soap.C, cookie + PARAMETERS.format(skip=skip))


def new_cookie(body: bytes) -> bytes:
    found, = COOKIE.findall(body)
    return found


def cookie_of(data: bytes) -> str:
    return f"<cookie><EncryptedData>{data.decode()}</EncryptedData></cookie>"


class JoinedScans(Scene):
    def setUp(self) -> None:
        self.catalogue = catalogue.Catalogue(5, 20, 3, big=0)
        self.up = self.upstream(self.catalogue)
        self.hold = threading.Event()
        self.pool = ThreadPoolExecutor(CROWD + 2)
        self.addCleanup(self.pool.shutdown)
        self.addCleanup(self.hold.set)

    def same_cookie_for_all(self) -> None:
        """As a server that signs the same facts gives them to machines it does not tell apart."""
        self.up.issue = lambda what: catalogue.b64(what.encode())
        self.up.cookies |= {self.up.issue(what) for what in ("client", "client authorization")}

    def registered(self, door, source: str = "") -> Agent:
        agent = self.agent(door)
        agent.wire.close()
        agent.wire = self.wire(door.url, source=source)
        agent.register()
        return agent

    def post(self, wire: Wire, envelope: bytes, operation: str = "SyncUpdates", accept: str = ""):
        return wire.post(soap.CLIENT, f"{soap.C}/{operation}", envelope, accept)

    def start(self, door, envelope: bytes, count: int = 1, source: str = "", **how) -> list[Future]:
        """count askers, each on a connection of its own."""
        return [self.pool.submit(self.post, self.wire(door.url, source=source), envelope, **how)
                for _ in range(count)]

    def held(self) -> None:
        self.hold.clear()
        self.up.hostile.hold = self.hold

    def asked(self) -> int:
        return len(self.up.requests())

    def joined(self, door) -> int:
        return int(door.metric("sallyport_joined_total"))

    # ---- one for all -----------------------------------------------------------------

    def test_fifty_scans(self) -> None:
        door = self.gate(self.up, workers=1)
        agent = self.registered(door)
        before, envelope = self.asked(), scan_of(agent.cookie)
        self.held()
        answers = self.start(door, envelope, 50)
        wait_until("they wait", lambda: self.joined(door) == 49 and self.asked() == before + 1)
        self.hold.set()
        got = [a.result() for a in answers]
        self.assertEqual({a.status for a in got}, {200})
        self.assertEqual(self.asked(), before + 1)
        self.assertEqual(len({COOKIE.sub(b"", a.body) for a in got}), 1, "one answer")
        cookies = {new_cookie(a.body) for a in got}
        self.assertEqual(len(cookies), 50, "sealed for each anew")
        for cookie in sorted(cookies)[:3]:
            again = self.post(agent.wire, scan_of(cookie_of(cookie)))
            self.assertEqual(again.status, 200)
        self.assertEqual(self.asked(), before + 4, "nothing is kept for later")

    def test_a_crowd_has_an_end(self) -> None:
        door = self.gate(self.up, workers=1)
        self.held()
        half = CROWD // 2
        answers = [*self.start(door, CONFIG, half, operation="GetConfig"),
                   *self.start(door, CONFIG, half, "127.0.0.2", operation="GetConfig")]
        wait_until("they wait", lambda: self.joined(door) == CROWD - 1 and self.asked() == 1)
        answers += self.start(door, CONFIG, 2, operation="GetConfig")
        wait_until("two more wait", lambda: self.joined(door) == CROWD)
        wait_until("a second one was asked", lambda: self.asked() == 2)
        self.hold.set()
        self.assertEqual({a.result().status for a in answers}, {200})
        self.assertEqual(self.asked(), 2)

    def test_reads_of_servers(self) -> None:
        """What a server reads is shared; the cookie that it asks for is given to one."""
        door = self.gate(self.up, workers=1)
        server = self.downstream(door)
        server.authorize()
        keys = identities(self.catalogue.by_key)
        asked = {"GetConfigData": server.cookie,
                 "GetUpdateData": f"{server.cookie}<updateIds>{keys}</updateIds>"}
        for operation, members in asked.items():
            before, joined = self.asked(), self.joined(door)
            self.held()
            envelope = soap.request(operation, soap.S, members)
            answers = [self.pool.submit(self.wire(door.url).post, soap.SERVER_SYNC,
                                        f"{soap.S}/{operation}", envelope) for _ in range(8)]
            wait_until("they wait", lambda joined=joined: self.joined(door) == joined + 7)
            self.hold.set()
            got = [a.result() for a in answers]
            self.assertEqual({a.status for a in got}, {200}, operation)
            self.assertEqual(len({a.body for a in got}), 1)
            self.assertEqual(self.asked(), before + 1)
        self.assertEqual(door.status()["ledger"]["entries"],
                         len(self.catalogue.revisions), "each revision is recorded once")

    # ---- who does not join -----------------------------------------------------------

    def test_the_cookie_of_another_one(self) -> None:
        """Somebody else's sealed cookie, while its owner waits: turned away before anything is
        compared, and the owner notices nothing."""
        door = self.gate(self.up, workers=1)
        owner = self.registered(door)
        before, envelope = self.asked(), scan_of(owner.cookie)
        self.held()
        answer, = self.start(door, envelope)
        wait_until("the owner asked", lambda: self.asked() == before + 1)
        stolen = self.post(self.wire(door.url, source="127.0.0.2"), envelope)
        self.assertEqual(soap.fault_of(stolen.status, stolen.body).code, "InvalidCookie")
        self.assertEqual((self.joined(door), self.asked()), (0, before + 1))
        self.hold.set()
        self.assertEqual(answer.result().status, 200)

    def test_whom_the_policy_keeps_out(self) -> None:
        """Equal to the byte, and still judged before it joins."""
        text = (SOURCE / "policies" / "strict-2026.policy").read_text()
        with tempfile.TemporaryDirectory() as folder:
            policy = Path(folder, "own.policy")
            policy.write_text(text.replace("policy strict-2026", "policy own")
                              + "peer client network 127.0.0.1/32\n")
            door = self.gate(self.up, workers=1, policy=str(policy))
        self.held()
        answer, = self.start(door, CONFIG, operation="GetConfig")
        wait_until("the first one asked", lambda: self.asked() == 1)
        guest = self.post(self.wire(door.url, source="127.0.0.2"), CONFIG, "GetConfig")
        self.assertEqual(guest.status, 403)
        self.assertEqual((self.joined(door), self.asked()), (0, 1))
        self.hold.set()
        self.assertEqual(answer.result().status, 200)

    def test_what_differs_is_asked_for_itself(self) -> None:
        """Another cookie of the same asker, other parameters, another coding, other operations."""
        door = self.gate(self.up, workers=1)
        one, two = self.registered(door), self.registered(door)
        before = self.asked()
        self.held()
        answers = [*self.start(door, scan_of(one.cookie)),
                   *self.start(door, scan_of(two.cookie)),
                   *self.start(door, scan_of(one.cookie, "true")),
                   *self.start(door, scan_of(one.cookie), accept="xpress"),
                   *self.start(door, soap.client_request("GetExtendedUpdateInfo", soap.C, (
                       f"{one.cookie}<revisionIDs/><infoTypes/>")),
                       operation="GetExtendedUpdateInfo")]
        wait_until("each asked", lambda: self.asked() == before + len(answers))
        self.assertEqual(self.joined(door), 0)
        self.hold.set()
        self.assertEqual({a.result().status for a in answers}, {200})

    def test_reports_are_each_ones_own(self) -> None:
        door = self.gate(self.up, workers=1)
        agent = self.registered(door)
        before = self.asked()
        self.held()
        envelope = soap.client_request("RegisterComputer", soap.C,
                                       f"{agent.cookie}<computerInfo/>")
        answers = self.start(door, envelope, 3, operation="RegisterComputer")
        wait_until("each asked", lambda: self.asked() == before + 3)
        self.assertEqual(self.joined(door), 0)
        self.hold.set()
        self.assertEqual({a.result().status for a in answers}, {200})

    # ---- sealed for each --------------------------------------------------------------

    def test_one_cookie_of_two_machines(self) -> None:
        """An upstream that gives two machines one cookie cannot tell them apart. They share its
        answer, and each gets the new cookie under its own seal."""
        self.same_cookie_for_all()
        door = self.gate(self.up, workers=1)
        agents = {source: self.registered(door, source) for source in ("127.0.0.1", "127.0.0.2")}
        before = self.asked()
        self.held()
        answers = {source: self.start(door, scan_of(agent.cookie), source=source)[0]
                   for source, agent in agents.items()}
        wait_until("they wait", lambda: self.joined(door) == 1)
        self.hold.set()
        given = {source: new_cookie(a.result().body) for source, a in answers.items()}
        self.assertEqual(self.asked(), before + 1)
        for source, cookie in given.items():
            with self.subTest(source):
                envelope = scan_of(cookie_of(cookie))
                other = "127.0.0.2" if source == "127.0.0.1" else "127.0.0.1"
                self.assertEqual(self.post(self.wire(door.url, source=source), envelope).status,
                                 200)
                self.assertEqual(self.post(self.wire(door.url, source=other), envelope).status,
                                 500)

    # ---- when it goes wrong -----------------------------------------------------------

    def test_one_leaves(self) -> None:
        """The one who came first, whose request it is that runs."""
        door = self.gate(self.up, workers=1)
        agent = self.registered(door)
        before, envelope = self.asked(), scan_of(agent.cookie)
        self.held()
        first = self.pool.submit(self.post, self.wire(door.url, timeout=1.0), envelope)
        wait_until("the first one asked", lambda: self.asked() == before + 1)
        answers = self.start(door, envelope, 3)
        wait_until("they wait", lambda: self.joined(door) == 3)
        self.assertIsInstance(first.exception(), TimeoutError)
        self.hold.set()
        self.assertEqual({a.result().status for a in answers}, {200})
        self.assertEqual(self.asked(), before + 1)

    def test_a_failure_is_everybodys(self) -> None:
        """Twenty are told that the upstream failed, by its name; nobody asks it again by himself."""
        door = self.gate(self.up, workers=1)
        agent = self.registered(door)
        before, envelope = self.asked(), scan_of(agent.cookie)
        self.up.hostile.replies["SyncUpdates"] = "truncated"
        self.held()
        answers = self.start(door, envelope, 20)
        wait_until("they wait", lambda: self.joined(door) == 19)
        self.hold.set()
        faults = [soap.fault_of(a.result().status, a.result().body) for a in answers]
        self.assertEqual({f.status for f in faults}, {500})
        self.assertEqual(len({f.message for f in faults}), 1)
        self.assertRegex(faults[0].message, "^upstream .*localhost")
        self.assertEqual(self.asked(), before + 1)
        self.up.hostile.reset()
        self.assertEqual(self.post(agent.wire, envelope).status, 200)

    def test_a_large_answer_is_kept_once(self) -> None:
        """Forty copies of it would be many times what may be held."""
        large = catalogue.Catalogue(6, 130, 3, big=0)
        up = self.upstream(large)
        door = self.gate(up, workers=1, metadata_memory_mib=8)
        server = self.downstream(door)
        server.authorize()
        members = server.cookie + "<updateIds>" + identities(list(large.by_key)[-100:])
        envelope = soap.request("GetUpdateData", soap.S, members + "</updateIds>")
        up.hostile.hold = self.hold
        answers = [self.pool.submit(self.wire(door.url).post, soap.SERVER_SYNC,
                                    f"{soap.S}/GetUpdateData", envelope) for _ in range(40)]
        wait_until("they wait", lambda: self.joined(door) == 39)
        before = door.memory()
        self.hold.set()
        got = [a.result() for a in answers]
        self.assertEqual({a.status for a in got}, {200})
        self.assertEqual(len({a.body for a in got}), 1)
        size = len(got[0].body)
        self.assertGreater(40 * size, 4 * (8 << 20))
        if not is_sanitized():
            self.assertLess(door.memory() - before, 20 * size)

    def test_too_little_memory_for_all_of_them(self) -> None:
        """Who finds no room is told when to come again; who does is served."""
        door = self.gate(self.up, workers=1, metadata_memory_mib=1)
        agent = self.registered(door)
        before, envelope = self.asked(), scan_of(agent.cookie)
        self.held()
        answers = self.start(door, envelope, 50)
        wait_until("all came", lambda: self.joined(door)
                   + int(door.metric("sallyport_busy_total")) >= 49)
        self.hold.set()
        got = [a.result() for a in answers]
        self.assertEqual({a.status for a in got}, {200, 503})
        self.assertEqual({a.headers.get("retry-after") for a in got if a.status == 503}, {"60"})
        told = sum(a.status == 503 for a in got)
        wait_until("they are counted", lambda: door.metric(
            "sallyport_requests_total", service="client", code_class="5xx") == told)
        self.assertEqual(self.asked(), before + 1)
        self.assertEqual(self.post(agent.wire, envelope).status, 200)


if __name__ == "__main__":
    unittest.main()
