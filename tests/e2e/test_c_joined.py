"""Equal requests at one time become one where the answer is the same for everybody, and only
there."""
import threading
import unittest
from concurrent.futures import Future, ThreadPoolExecutor

import harness  # noqa: F401

import catalogue
import soap
from gate import hang_up, wait_until
from scene import Scene

PATHS = {"GetConfig": soap.CLIENT, "GetAuthConfig": soap.SERVER_SYNC,
         "GetAuthorizationCookie": soap.SIMPLE_AUTH}
MEMBERS = {"GetConfig": "<protocolVersion>2.90</protocolVersion>", "GetAuthConfig": "",
           "GetAuthorizationCookie":
               "<clientId>0f1e2d3c-0000-4000-8000-00000000000a</clientId><targetGroupName/>"
               "<dnsName>pc1.branch.example</dnsName>"}


class Joined(Scene):
    def setUp(self) -> None:
        self.up = self.upstream(catalogue.Catalogue(5, 20, 3, big=0))
        self.hold = self.up.hostile.hold = threading.Event()
        self.pool = ThreadPoolExecutor(32)
        self.addCleanup(self.pool.shutdown)
        self.addCleanup(self.hold.set)

    def ask(self, url: str, operation: str = "GetConfig", members: str | None = None,
            accept: str = ""):
        path = PATHS[operation]
        envelope = soap.client_request(operation, soap.NAMESPACES[path],
                                       MEMBERS[operation] if members is None else members)
        wire = self.wire(url)
        return wire.post(path, soap.action(path, operation), envelope, accept)

    def start(self, door, count: int, **how) -> list[Future]:
        return [self.pool.submit(self.ask, door.url, **how) for _ in range(count)]

    def asked(self) -> int:
        return len(self.up.requests())

    def joined(self, door) -> int:
        return int(door.metric("sallyport_joined_total"))

    def test_twenty_agents(self) -> None:
        door = self.gate(self.up, workers=1)
        for operation in ("GetConfig", "GetAuthConfig"):
            before, joined = self.asked(), self.joined(door)
            self.hold.clear()
            answers = self.start(door, 20, operation=operation)
            wait_until("they wait", lambda: self.joined(door) == joined + 19
                       and self.asked() == before + 1)
            self.hold.set()
            got = [a.result() for a in answers]
            self.assertEqual({a.status for a in got}, {200})
            self.assertEqual(len({a.body for a in got}), 1)
            self.assertIn(b"ServiceUrl", got[0].body)
            self.assertEqual(self.asked(), before + 1)
            self.assertEqual(self.ask(door.url, operation).body, got[0].body)
            self.assertEqual(self.asked(), before + 2, "nothing is kept for later")

    def test_many_loops(self) -> None:
        door = self.gate(self.up, workers=2)
        answers = self.start(door, 20)
        wait_until("they wait", lambda: self.joined(door) + self.asked() == 20)
        self.assertIn(self.asked(), (1, 2))
        self.hold.set()
        self.assertEqual(len({a.result().body for a in answers}), 1)

    def test_a_failure_is_everybodys(self) -> None:
        door = self.gate(self.up, workers=1)
        self.up.hostile.replies["GetConfig"] = "truncated"
        answers = self.start(door, 20)
        wait_until("they wait", lambda: self.joined(door) == 19)
        self.hold.set()
        self.assertEqual({a.result().status for a in answers}, {500})
        self.up.hostile.replies.clear()
        self.assertEqual(self.ask(door.url).status, 200)

    def test_who_leaves(self) -> None:
        door = self.gate(self.up, workers=1)
        first = self.wire(door.url, timeout=1.0)
        envelope = soap.client_request("GetConfig", soap.C, MEMBERS["GetConfig"])
        gone = self.pool.submit(first.post, soap.CLIENT, f"{soap.C}/GetConfig", envelope)
        wait_until("the first one asked", lambda: self.asked() == 1)
        answers = self.start(door, 3)
        wait_until("they wait", lambda: self.joined(door) == 3)
        self.assertIsInstance(gone.exception(), TimeoutError)
        self.hold.set()
        self.assertEqual({a.result().status for a in answers}, {200})
        self.assertEqual(self.asked(), 1)

    def test_when_all_left(self) -> None:
        door = self.gate(self.up, workers=1)
        for count in (1, 2):
            wire = self.wire(door.url, timeout=1.0)
            envelope = soap.client_request("GetConfig", soap.C, MEMBERS["GetConfig"])
            with self.assertRaises(TimeoutError):
                wire.post(soap.CLIENT, f"{soap.C}/GetConfig", envelope)
            self.assertEqual(self.asked(), count)
            wait_until("it is known", lambda count=count: len(
                [e for e in door.log() if e.get("outcome") == "asker left early"]) == count)
        self.assertEqual(self.joined(door), 0)
        self.hold.set()
        self.assertEqual(self.ask(door.url).status, 200)

    def test_what_is_not_the_same(self) -> None:
        """Another version, another coding, another listener; and what gives something away."""
        door = self.gate(self.up, workers=1, plain_http="observe")
        answers = [
            self.pool.submit(self.ask, door.url),
            self.pool.submit(self.ask, door.url, members="<protocolVersion>2.91</protocolVersion>"),
            self.pool.submit(self.ask, door.url, accept="xpress"),
            self.pool.submit(self.ask, door.http_url),
            *self.start(door, 3, operation="GetAuthorizationCookie")]
        wait_until("each asked", lambda: self.asked() == len(answers))
        self.assertEqual(self.joined(door), 0)
        self.hold.set()
        self.assertEqual({a.result().status for a in answers}, {200})

    def test_a_reload_between(self) -> None:
        """What is judged by another policy is asked for anew."""
        door = self.gate(self.up, workers=1)
        old = self.start(door, 2)
        wait_until("they wait", lambda: self.joined(door) == 1)
        hang_up(door)
        wait_until("reloaded", lambda: any(e["event"] == "reloaded" for e in door.log()))
        new = self.start(door, 2)
        wait_until("the new ones wait", lambda: self.joined(door) == 2 and self.asked() == 2)
        self.hold.set()
        self.assertEqual({a.result().status for a in old + new}, {200})

    def test_a_stop_between(self) -> None:
        door = self.gate(self.up, workers=1)
        answers = self.start(door, 5)
        wait_until("they wait", lambda: self.joined(door) == 4)
        door.process.terminate()
        self.hold.set()
        self.assertEqual({a.result().status for a in answers}, {200})
        self.assertEqual(door.process.wait(), 0)
        door.process = None


if __name__ == "__main__":
    unittest.main()
