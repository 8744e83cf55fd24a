"""The usual scene: stand-in upstream, sallyport in front of it, a stand-in downstream behind."""
import re
import socket
import ssl
import unittest

import soap
from agent import Agent
from catalogue import Catalogue, Revision
from downstream import Downstream, Synced
from gate import Gate
from pki import make
from wire import Wire
from wsus_upstream import Upstream


class Scene(unittest.TestCase):
    """Everything that a helper starts ends with the test."""

    longMessage = True

    @classmethod
    def setUpClass(cls) -> None:
        cls.pki = make()

    def upstream(self, catalogue: Catalogue, mode: str = "identity",
                 certificate: str = "upstream", **options) -> Upstream:
        pair = () if "context" in options else self.pki.pair(certificate)
        upstream = Upstream(catalogue, *pair, mode=mode, **options)
        self.addCleanup(self._close_upstream, upstream)
        return upstream

    def _close_upstream(self, upstream: Upstream) -> None:
        upstream.close()
        errors = [e for s in upstream.servers for e in s.errors]
        self.assertEqual(errors, [], "the stand-in upstream stumbled")

    def gate(self, upstream, **settings) -> Gate:
        url = upstream if isinstance(upstream, str) else upstream.url
        gate = Gate(url, self.pki, **settings)
        self.addCleanup(gate.close)
        return gate.start()

    def downstream(self, gate: Gate, content: str = "", **options) -> Downstream:
        server = Downstream(gate.url, self.pki.ca, content=content or gate.http_url, **options)
        self.addCleanup(server.close)
        return server

    def agent(self, gate: Gate) -> Agent:
        agent = Agent(gate.url, self.pki.ca, gate.http_url)
        self.addCleanup(agent.close)
        return agent

    def wire(self, url: str, **options) -> Wire:
        wire = Wire(url, self.pki.ca, **options)
        self.addCleanup(wire.close)
        return wire

    def assert_synced(self, catalogue: Catalogue, synced: Synced) -> None:
        """Every document arrived, and is the one the upstream has."""
        self.assertEqual(set(synced.documents), set(catalogue.by_key))
        for key, document in synced.documents.items():
            self.assertEqual(document, catalogue.by_key[key].document, key)
        self.assertEqual(set(synced.claims), set(catalogue.by_digest))

    def assert_bytes(self, got: bytes, expected: bytes, what: object = "") -> None:
        """Equality without a report of millions of bytes."""
        self.assertEqual(len(got), len(expected), what)
        self.assertTrue(got == expected, f"{what}: the bytes differ")

    def assert_fault(self, call, pattern: str, codes=("InternalServerError", "ServerBusy"),
                     status: int = 500) -> soap.Fault:
        """call() is answered by a fault whose Message matches pattern."""
        with self.assertRaises(soap.Fault) as caught:
            call()
        fault = caught.exception
        self.assertEqual(fault.status, status, fault)
        self.assertIn(fault.code, codes, fault)
        self.assertRegex(fault.message, pattern)
        return fault

    def assert_refused(self, call, rule: str) -> soap.Fault:
        """A refusal after judging: names the rule and the ledger entry."""
        return self.assert_fault(call, rf"\b{rule}\b.*entry \d+", codes=("InternalServerError",))


def with_files(catalogue: Catalogue) -> Revision:
    """A leaf with at least two files."""
    return next(r for r in catalogue.of_kind("leaf") if len(r.files) > 1)


def raw(port: int, data: bytes, ca: str = "", wait: float = 5.0) -> bytes:
    """Sends bytes as they are and reads until the other side closes or is silent; over TLS when
    ca is given, by the address: a handshake without a name goes with every Host."""
    with socket.create_connection(("127.0.0.1", port), wait) as sock:
        if ca:
            context = ssl.create_default_context(cafile=ca)
            sock = context.wrap_socket(sock, server_hostname="127.0.0.1")
        with sock:
            return exchange(sock, data)


def exchange(sock: socket.socket, data: bytes) -> bytes:
    out = b""
    try:
        sock.sendall(data)
        while piece := sock.recv(65536):
            out += piece
    except (TimeoutError, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        pass
    return out


def statuses(answer: bytes) -> list[int]:
    """The status codes of all answers in a raw exchange (100 left out)."""
    found = re.findall(rb"HTTP/1\.1 (\d{3})[^\r\n]*\r\n[A-Z]", answer)
    return [int(code) for code in found if code != b"100"]
