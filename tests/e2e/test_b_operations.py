"""Every operation of ops.def passes whole, and none passes with a member nobody declared."""
import re
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
import contracts
import soap
from contracts import Operation
from downstream import AGENT, identities
from httpd import Reply, Request, Server, server_context
from pki import SOURCE
from scene import Scene
from wire import Wire
from wsus_upstream import Upstream

ROW = re.compile(r'^OP\(\w+, "(\w+)", (\w+),\s*NS_\w+ "/(\w+)"', re.MULTILINE)


def rows() -> list[tuple[str, str]]:
    """Service and operation of every row of the program's table."""
    text = Path(SOURCE, "src/core/wsus/ops.def").read_text()
    found = ROW.findall(text)
    if len(found) != text.count("\nOP(") or any(name != action for name, _, action in found):
        raise ValueError("ops.def has a row that this test cannot read")
    return [(service.lower().replace("_", "-"), name) for name, service, _ in found]


class Answering:
    """An upstream that has one answer for every operation of the contracts."""

    def __init__(self, cert: str, key: str, answers: dict[tuple[str, str], bytes]) -> None:
        self.answers = answers
        self.server = Server(self.handle, server_context(cert, key))
        self.servers = [self.server]
        self.url = f"https://localhost:{self.server.port}"

    def handle(self, request: Request) -> Reply:
        body = self.answers.get((request.target, request.header("SOAPAction")))
        if body is None:
            return Reply(404)
        return Reply(200, [("Content-Type", soap.CONTENT_TYPE)], body)

    def close(self) -> None:
        self.server.close()


class Operations(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(91, 40, 5, big=0)

    def messages(self, operation: Operation) -> tuple[bytes, bytes]:
        """What is asked and what is answered."""
        if operation.name != "GetUpdateData":
            return operation.request(), operation.response()
        # documents are judged: they must be those that were asked for
        cookie = contracts.Sample().members("cookie:Cookie")
        keys = [r.key for r in self.catalogue.revisions[:8]]
        source = Upstream(self.catalogue)
        self.addCleanup(source.close)
        known = source.issue("cookie")
        asked = operation.request(
            f"<cookie><EncryptedData>{known}</EncryptedData></cookie>"
            f"<updateIds>{identities(keys)}</updateIds>")
        with Wire(source.url) as wire:
            answer = wire.post(operation.path, operation.action, asked)
        self.assertEqual(answer.status, 200)
        return operation.request(f"{cookie}<updateIds>{identities(keys)}</updateIds>"), answer.body

    def setUp(self) -> None:
        self.asks, answers = {}, {}
        for key, operation in contracts.ALL.items():
            self.asks[key], answer = self.messages(operation)
            answers[operation.path, f'"{operation.action}"'] = answer
        self.up = Answering(*self.pki.pair("upstream"), answers)
        self.addCleanup(self._close_upstream, self.up)
        self.door = self.gate(self.up, cookies="relayed")
        self.asker = self.wire(self.door.url, agent=AGENT)

    def test_table_is_covered(self) -> None:
        self.assertEqual(sorted(rows()), sorted(contracts.ALL))

    def test_every_operation_passes(self) -> None:
        for key in rows():
            with self.subTest(" ".join(key)):
                operation = contracts.ALL[key]
                seen = len(self.up.server.requests())
                # a caller may spell the path as it likes, the upstream is asked one way
                answer = self.asker.post(operation.path.lower(), operation.action, self.asks[key])
                self.assertEqual(answer.status, 200, answer.body[:2000])
                place = operation.path, f'"{operation.action}"'
                self.assert_bytes(answer.body, self.up.answers[place])
                self.assertEqual(answer.headers["content-type"], soap.CONTENT_TYPE)
                self.check_request(operation, self.up.server.requests()[seen:], self.asks[key])

    def check_request(self, operation: Operation, came: list[Request], sent: bytes) -> None:
        self.assertEqual([(r.method, r.target) for r in came], [("POST", operation.path)])
        self.assertEqual(came[0].header("SOAPAction"), f'"{operation.action}"')
        self.assertEqual(came[0].header("Content-Type"), soap.CONTENT_TYPE)
        self.assertEqual(soap.canonical(soap.body_of(came[0].body)),
                         soap.canonical(soap.body_of(sent)))

    def test_unknown_member_is_refused(self) -> None:
        for key in rows():
            with self.subTest(" ".join(key)):
                operation = contracts.ALL[key]
                for more in ("<unheardOf>1</unheardOf>", '<dnsName xmlns="urn:elsewhere" />'):
                    asked = operation.request(more=more)
                    self.assert_fault(
                        lambda: self.asker.call(operation.path, operation.name, asked),
                        "unheardOf|dnsName", codes=("InvalidParameters",))
        self.assertEqual(self.up.server.requests(), [])


if __name__ == "__main__":
    unittest.main()
