"""Large replies without documents go out while they come, and never as a whole that was not read:
whatever is wrong late in one, the asker has no reply."""
import http.client
import threading
import unittest
import xml.etree.ElementTree as ET

import harness  # noqa: F401

import catalogue
import soap
from gate import wait_until
from httpd import Reply
from scene import Scene

ONE = ("<ServerSyncDeployment><UpdateId>11111111-2222-4333-8444-555555555555</UpdateId>"
       "<RevisionNumber>200</RevisionNumber><Action>0</Action></ServerSyncDeployment>")
END = b"</GetDeploymentsResponse>"
ACTION = soap.action(soap.SERVER_SYNC, "GetDeployments")
MANY, SOME = 20_000_000 // len(ONE), 5_000_000 // len(ONE)


def deployments(count: int, late: str = "", behind: str = "") -> bytes:
    body = soap.response("GetDeployments", soap.S,
                         f"<Anchor>a</Anchor><Deployments>{ONE * count}{late}</Deployments>")
    return body + behind.encode()


class Relayed(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(5, 20, 3, big=0)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up)
        self.server = self.downstream(self.door, accept="")
        self.server.authorize()

    def envelope(self) -> bytes:
        return soap.request("GetDeployments", soap.S, f"{self.server.cookie}"
                            "<deploymentAnchor/><syncAnchor>x</syncAnchor>")

    def ask(self):
        return self.server.wire.post(soap.SERVER_SYNC, ACTION, self.envelope())

    def begin(self) -> http.client.HTTPResponse:
        """The head of the answer, and the rest to be read."""
        connection = self.server.wire._open()
        connection.request("POST", soap.SERVER_SYNC, self.envelope(), {
            "Content-Type": soap.CONTENT_TYPE, "SOAPAction": f'"{ACTION}"'})
        return connection.getresponse()

    def offer(self, whole: bytes, first: int, **how) -> threading.Event:
        """The upstream sends the first bytes, and the rest once it is told to go on."""
        go_on = threading.Event()

        def slowly():
            yield whole[:first]
            self.assertTrue(go_on.wait(30))
            yield whole[first:]

        self.up.deployments = Reply(200, [("Content-Type", soap.CONTENT_TYPE)], slowly(),
                                    length=len(whole), **how)
        return go_on

    def partial(self, whole: bytes, first: int = 3_000_000, **how) -> bytes:
        """What is had of a reply that begins to come, and whose end never does."""
        go_on = self.offer(whole, first, **how)
        reply = self.begin()
        self.assertEqual((reply.status, reply.length), (200, len(whole)))
        had = reply.read(100_000)
        go_on.set()
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)) as cut:
            reply.read()
        self.server.wire.close()
        had += getattr(cut.exception, "partial", b"")
        self.assertTrue(whole.startswith(had))
        self.assertNotIn(END, had)
        with self.assertRaises(ET.ParseError):
            ET.fromstring(had)
        return had

    def cut_line(self) -> dict:
        wait_until("it is told", lambda: any(
            line.get("outcome") == "cut short" for line in self.door.log()))
        return next(line for line in self.door.log() if line.get("outcome") == "cut short")

    def test_a_good_one_is_the_same_to_the_byte(self) -> None:
        for count in (1, 2000, 7000, MANY):
            self.up.deployments = deployments(count)
            answer = self.ask()
            self.assertEqual((answer.status, len(answer.body)), (200, len(self.up.deployments)))
            self.assert_bytes(answer.body, self.up.deployments)
            self.assertEqual(answer.headers["content-length"], str(len(answer.body)))
        self.assertEqual(self.ask().status, 200, "on the same connection")

    def test_it_begins_before_it_is_whole(self) -> None:
        whole = deployments(SOME)
        go_on = self.offer(whole, 3_000_000)
        reply = self.begin()
        beginning = reply.read(2_500_000)
        go_on.set()
        self.assert_bytes(beginning + reply.read(), whole)

    def test_one_that_hangs_does_not_stop_another(self) -> None:
        """Large ones come one after the other, but none waits for long."""
        whole = deployments(SOME)
        go_on = self.offer(whole, 3_000_000)
        reply = self.begin()
        self.up.deployments = whole
        other = self.downstream(self.door, accept="")
        other.authorize()
        answer = other.wire.post(soap.SERVER_SYNC, ACTION, self.envelope())
        self.assert_bytes(answer.body, whole)
        self.assertFalse(go_on.is_set())
        go_on.set()
        self.assert_bytes(reply.read(), whole)

    def test_refused_late(self) -> None:
        self.partial(deployments(MANY, "<ServerSyncDeployment></Oops>"), 15_000_000)
        line = self.cut_line()
        self.assertEqual((line["rule"], line["status"]), ("reply-wellformed", 200))
        entry = self.door.command("ledger", "show", str(line["entry"])).stdout
        self.assertIn("entry.kind refusal", entry)
        self.assertIn("reply.sha256", entry)
        self.up.deployments = None
        self.assertEqual(self.ask().status, 200)

    def test_refused_behind_a_whole_envelope(self) -> None:
        self.partial(deployments(9000, behind=" " * 3_000_000 + "<more/>"))
        self.assertEqual(self.cut_line()["rule"], "reply-wellformed")

    def test_a_document_type_behind_the_beginning(self) -> None:
        self.partial(deployments(SOME, '<!DOCTYPE a [<!ENTITY b "c">]>'))
        self.assertEqual(self.cut_line()["rule"], "reply-wellformed")

    def test_a_cookie_where_none_belongs_is_not_shown(self) -> None:
        had = self.partial(deployments(SOME, "<EncryptedData/>").replace(
            b"<EncryptedData/></Deployments>",
            b"</Deployments><EncryptedData>AAECAwQFBgcICQ==</EncryptedData>"))
        self.assertNotIn(b"EncryptedData", had)
        self.assertIn("edited", self.cut_line()["why"])

    def test_an_upstream_that_breaks_off(self) -> None:
        self.partial(deployments(SOME), cut_at=4_000_000)
        self.assertIn("closed", self.cut_line()["why"])

    def test_refused_early_is_a_fault(self) -> None:
        for body in (deployments(1, "</Oops>"), b"<a>" + deployments(SOME)):
            self.up.deployments = body
            answer = self.ask()
            self.assertEqual(answer.status, 500)
            self.assertIn(b"reply-wellformed", answer.body)

    def test_an_asker_who_leaves_early(self) -> None:
        self.up.deployments = deployments(4 * SOME)
        for _ in range(3):
            self.assertEqual(self.begin().read(100_000)[:5], b"<?xml")
            self.server.wire.close()
        wait_until("it is noticed", lambda: sum(
            line.get("outcome") == "asker left early" for line in self.door.log()) == 3)
        self.assertEqual(len(self.ask().body), len(self.up.deployments))


if __name__ == "__main__":
    unittest.main()
