"""The doors: plain HTTP, ambiguous heads, path tricks, limits. What is refused reaches nobody."""
import contextlib
import socket
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401

import catalogue
import soap
from downstream import Downstream
from scene import Scene, exchange, raw, statuses
from wire import Wire

BODY = soap.request("GetAuthConfig", soap.S, "")
ACTION = f'SOAPAction: "{soap.S}/GetAuthConfig"\r\n'
TYPE = "Content-Type: text/xml; charset=utf-8\r\n"
REFUSED = {400, 403, 404, 405, 411, 413, 414, 415, 417, 421, 431, 501, 505}


def post(fields: str = "", *, line: str = f"POST {soap.SERVER_SYNC} HTTP/1.1",
         host: str = "Host: localhost\r\n", length: str | None = None,
         body: bytes = BODY) -> bytes:
    """A request that is right but for what is given."""
    size = f"Content-Length: {len(body)}\r\n" if length is None else length
    return f"{line}\r\n{host}{TYPE}{ACTION}{fields}{size}\r\n".encode("latin-1") + body


def chunked(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


SMUGGLED = post(line=f"POST {soap.DSS_AUTH} HTTP/1.1")
TE = "Transfer-Encoding: chunked\r\n"
CL = f"Content-Length: {len(BODY)}\r\n"

AMBIGUOUS = {
    "length and chunked": post(TE, body=chunked(BODY)),
    "chunked and length": post(length=TE + "Content-Length: 5\r\n", body=chunked(BODY)),
    "CL.TE": post(TE, length="Content-Length: 6\r\n", body=b"0\r\n\r\n" + SMUGGLED),
    "two equal lengths": post(CL),
    "two lengths": post("Content-Length: 3\r\n"),
    "length list": post(length=f"Content-Length: {len(BODY)}, {len(BODY)}\r\n"),
    "signed length": post(length=f"Content-Length: +{len(BODY)}\r\n"),
    "negative length": post(length="Content-Length: -1\r\n"),
    "hex length": post(length=f"Content-Length: {len(BODY):#x}\r\n"),
    "empty length": post(length="Content-Length: \r\n"),
    "length of 2^64": post(length="Content-Length: 18446744073709551616\r\n"),
    "zeros before the length": post(length=f"Content-Length: 000{len(BODY)}\r\n"),
    "length with blank inside": post(length="Content-Length: 2 0\r\n"),
    "blank before colon": post(length=f"Content-Length : {len(BODY)}\r\n"),
    "TE list": post(length="Transfer-Encoding: gzip, chunked\r\n", body=chunked(BODY)),
    "TE twice": post(length=TE + TE, body=chunked(BODY)),
    "TE identity": post("Transfer-Encoding: identity\r\n"),
    "TE with tab": post(length="Transfer-Encoding:\tchunked\x0b\r\n", body=chunked(BODY)),
    "TE quoted": post(length='Transfer-Encoding: "chunked"\r\n', body=chunked(BODY)),
    "TE lookalike": post("Transfer_Encoding: chunked\r\n"),
    "CL lookalike": post("Content_Length: 3\r\n"),
    "xchunked": post(length="Transfer-Encoding: xchunked\r\n", body=chunked(BODY)),
    "folded": post("X-One: a\r\n b\r\n"),
    "folded TE": post(length="Transfer-Encoding:\r\n chunked\r\n", body=chunked(BODY)),
    "bare LF": post("X-One: a\n"),
    "bare CR": post("X-One: a\rb\r\n"),
    "NUL": post("X-One: a\0b\r\n"),
    "control character": post("X-One: a\x08b\r\n"),
    "no colon": post("X-One\r\n"),
    "empty name": post(": x\r\n"),
    "leading blank": b" " + post(),
    "blank first field": post(host=" Host: localhost\r\n"),
    "no host": post(host=""),
    "two hosts": post(host="Host: localhost\r\nHost: evil.example\r\n"),
    "empty host": post(host="Host: \r\n"),
    "host with userinfo": post(host="Host: a@localhost\r\n"),
    "host list": post(host="Host: localhost, evil.example\r\n"),
    "absolute form": post(line=f"POST https://localhost{soap.SERVER_SYNC} HTTP/1.1"),
    "authority form": post(line="CONNECT localhost:443 HTTP/1.1"),
    "asterisk": post(line="OPTIONS * HTTP/1.1"),
    "HTTP/1.0": post(line=f"POST {soap.SERVER_SYNC} HTTP/1.0"),
    "HTTP/2.0": post(line=f"POST {soap.SERVER_SYNC} HTTP/2.0"),
    "HTTP/0.9": f"GET {soap.SERVER_SYNC}\r\n\r\n".encode(),
    "lower-case version": post(line=f"POST {soap.SERVER_SYNC} http/1.1"),
    "two blanks": post(line=f"POST  {soap.SERVER_SYNC} HTTP/1.1"),
    "tab in line": post(line=f"POST\t{soap.SERVER_SYNC} HTTP/1.1"),
    "LF line end": post(line=f"POST {soap.SERVER_SYNC} HTTP/1.1\nX: y"),
    "TRACE": post(line=f"TRACE {soap.SERVER_SYNC} HTTP/1.1"),
    "PUT": post(line=f"PUT {soap.SERVER_SYNC} HTTP/1.1"),
    "GET of a service": post(line=f"GET {soap.SERVER_SYNC} HTTP/1.1"),
    "lower-case method": post(line=f"post {soap.SERVER_SYNC} HTTP/1.1"),
    "unknown expectation": post("Expect: 200-ok\r\n"),
    "coded request": post("Content-Encoding: gzip\r\n"),
    "h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "chunk extension": post(length=TE, body=f"{len(BODY):x};a=b\r\n".encode() + BODY
                            + b"\r\n0\r\n\r\n"),
    "trailer": post(length=TE, body=f"{len(BODY):x}\r\n".encode() + BODY
                    + b"\r\n0\r\nX-Late: 1\r\n\r\n"),
    "chunk size with sign": post(length=TE, body=b"+" + chunked(BODY)),
    "chunk size 0x": post(length=TE, body=b"0x" + chunked(BODY)),
    "chunk size too long": post(length=TE, body=b"0" * 40 + chunked(BODY)),
    "chunk LF only": post(length=TE, body=chunked(BODY).replace(b"\r\n", b"\n", 1)),
    "chunk without end": post(length=TE, body=f"{len(BODY) - 1:x}\r\n".encode() + BODY
                              + b"\r\n0\r\n\r\n"),
}

LEGITIMATE = {
    "as it should be": post(),
    "chunked": post(length=TE, body=chunked(BODY)),
    "lower-case path": post(line=f"POST {soap.SERVER_SYNC.lower()} HTTP/1.1"),
    "upper-case path": post(line=f"POST {soap.SERVER_SYNC.upper()} HTTP/1.1"),
    "doubled leading slash": post(line=f"POST /{soap.SERVER_SYNC} HTTP/1.1"),
    "expect 100": post("Expect: 100-continue\r\n"),
    "odd case of names": post("x-oNe: a\r\n"),
    "empty value": post("X-Empty:\r\n"),
}

TRICKS = (
    "/ServerSyncWebService/../ServerSyncWebService/ServerSyncWebService.asmx",
    "/ServerSyncWebService/./ServerSyncWebService.asmx",
    "/ServerSyncWebService//ServerSyncWebService.asmx",
    "///ServerSyncWebService/ServerSyncWebService.asmx",
    "/ServerSyncWebService%2FServerSyncWebService.asmx",
    "/ServerSyncWebService/ServerSyncWebService%2Easmx",
    "/ServerSyncWebService/%2e%2e/ApiRemoting30/WebService.asmx",
    "/ServerSyncWebService/%252e%252e/x", "/ServerSyncWebService/%5c..%5cx",
    "/ServerSyncWebService\\ServerSyncWebService.asmx",
    "/ServerSyncWebService/ServerSyncWebService.asmx/",
    "/ServerSyncWebService/ServerSyncWebService.asmx/GetAuthConfig",
    "/ServerSyncWebService/ServerSyncWebService.asmx?op=GetAuthConfig",
    "/ServerSyncWebService/ServerSyncWebService.asmx?WSDL",
    "/ServerSyncWebService/ServerSyncWebService.asmx#x",
    "/ServerSyncWebService/ServerSyncWebService.asmx;x",
    "/ServerSyncWebService/ServerSyncWebService.asmx.",
    "/ServerSyncWebService/ServerSyncWebService.asmx%20",
    "/ServerSyncWebService/ServerSyncWebService.asmx::$DATA",
    "/SERVER~1/SERVER~1.ASM", "/%u0053erverSyncWebService/ServerSyncWebService.asmx",
    "/%c0%aeServerSyncWebService/ServerSyncWebService.asmx",
    "/ServerSyncWebService/ServerSyncWebService.asmx%00", "/", "/admin", "/health", "/metrics",
    "/ApiRemoting30/WebService.asmx", "/apiremoting30/webservice.asmx",
    "//ApiRemoting30/WebService.asmx",
    "/ServerSyncWebService/ServerSyncProxy.asmx", "/ReportingWebService/WebService.asmx",
    "/Inventory/x", "/SelfUpdate/wuident.cab", "/Content/../ApiRemoting30/WebService.asmx",
)


class Doors(Scene):
    """One gate for the whole class: a door that falls in one test fails the others too."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(51, 30, 4, big=0)
        from gate import Gate
        from wsus_upstream import Upstream
        cls.up = cls.enterClassContext(Upstream(cls.catalogue, *cls.pki.pair("upstream")))
        cls.door = cls.enterClassContext(Gate(cls.up.url, cls.pki))

    def seen(self) -> int:
        return len(self.up.requests())

    def tls(self, data: bytes) -> bytes:
        return raw(self.door.port, data, self.pki.ca)

    def answers(self, request: bytes, status: int) -> bytes:
        closing = request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        answer = self.tls(closing)
        self.assertEqual(statuses(answer), [status], answer[:500])
        return answer


class Heads(Doors):
    def test_ambiguous_heads(self) -> None:
        before = self.seen()
        sent = [request + SMUGGLED for request in AMBIGUOUS.values()]
        with ThreadPoolExecutor(16) as pool:  # a refused connection lingers for a while
            answers = dict(zip(AMBIGUOUS, pool.map(self.tls, sent), strict=True))
        for name, answer in answers.items():
            with self.subTest(name):
                got = statuses(answer)
                self.assertEqual(len(got), 1, f"not one answer: {answer[:400]!r}")
                self.assertIn(got[0], REFUSED, answer[:400])
        self.assertEqual([r.head for r in self.up.requests()[before:]], [], "reached the upstream")

    def test_legitimate_neighbours(self) -> None:
        for name, request in LEGITIMATE.items():
            with self.subTest(name):
                before = self.seen()
                self.assertIn(b"DssTargeting", self.answers(request, 200))
                self.assertEqual(self.seen(), before + 1)
                self.assertEqual(self.up.requests()[-1].target, soap.SERVER_SYNC)

    def test_keep_alive_and_pipelining(self) -> None:
        last = post().replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        self.assertEqual(statuses(self.tls(post() + post() + last)), [200, 200, 200])

    def test_byte_by_byte(self) -> None:
        """Where a segment ends changes nothing."""
        last = post(length=TE, body=chunked(BODY)).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        with socket.create_connection(("127.0.0.1", self.door.http_port), 10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i in range(len(last) - 1):
                sock.sendall(last[i:i + 1])
            self.assertEqual(statuses(exchange(sock, last[-1:])), [403])

    def test_limits(self) -> None:
        """One at the limit, one above."""
        line = f"POST {soap.SERVER_SYNC} HTTP/1.1"
        value = "v" * 4096
        self.answers(post(f"X-V: {value}\r\n"), 200)
        self.answers(post(f"X-V: {value}v\r\n"), 431)
        count = 48 - post().split(b"\r\n\r\n")[0].count(b"\r\n") - 1  # Connection is added
        self.answers(post("".join(f"X-{i}: 1\r\n" for i in range(count))), 200)
        self.answers(post("".join(f"X-{i}: 1\r\n" for i in range(count + 1))), 431)
        self.answers(post("".join(f"X-{i}: {value}\r\n" for i in range(5))), 431)
        room = 2048 - len(line)
        self.answers(post(line=line.replace("asmx", "asmx" + "x" * room)), 404)
        self.answers(post(line=line.replace("asmx", "asmx" + "x" * (room + 3))), 414)

    def test_too_large_a_body(self) -> None:
        before = self.seen()
        answer = self.tls(post(length=f"Content-Length: {(8 << 20) + 1}\r\n", body=b""))
        self.assertEqual(statuses(answer), [413])
        many = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
        answer = self.tls(post(length=TE, body=many * 9))
        self.assertTrue(set(statuses(answer)) <= {413, 400})
        self.assertEqual(self.seen(), before)


class Paths(Doors):
    def test_path_tricks(self) -> None:
        before = self.seen()
        lines = [f"{method} {path} HTTP/1.1" for path in TRICKS for method in ("POST", "GET")]
        with ThreadPoolExecutor(16) as pool:
            sent = (post("Connection: close\r\n", line=line) for line in lines)
            answers = dict(zip(lines, pool.map(self.tls, sent), strict=True))
        for line, answer in answers.items():
            with self.subTest(line):
                got = statuses(answer)
                self.assertEqual(len(got), 1, answer[:200])
                self.assertIn(got[0], (400, 404), answer[:300])
        self.assertEqual(self.seen(), before)

    def test_action_must_fit_the_path(self) -> None:
        before = self.seen()
        for action in (f'"{soap.DSS}/GetAuthorizationCookie"', f"{soap.S}/GetAuthConfig", '""',
                       f'"{soap.S}/Ping"', f'"{soap.S}/Server/IMonitorable/Ping"',
                       f'"{soap.S}/GetRelatedRevisionsForUpdates"', f'"{soap.S}/getauthconfig"',
                       f'"{soap.S}/GetCookie"'):
            with self.subTest(action):
                request = post().replace(ACTION.encode(), f"SOAPAction: {action}\r\n".encode())
                answer = self.answers(request, 500)
                self.assertIn(b"<ErrorCode>InvalidParameters</ErrorCode>", answer)
        self.assertEqual(self.seen(), before)

    def test_bodies_that_break_the_schema(self) -> None:
        before = self.seen()
        for body in (b"", b"<", b"\xef\xbb\xbf" + BODY.replace(b"utf-8", b"utf-16"),
                     BODY.replace(b"<soap:Body>", b"<soap:Header/><soap:Body>"),
                     BODY.replace(b"<soap:Envelope", b"<!DOCTYPE x><soap:Envelope"),
                     BODY.replace(b"<soap:Body>", b"<?x y?><soap:Body>"),
                     BODY.replace(b"GetAuthConfig", b"GetCookie"),
                     BODY.replace(soap.S.encode(), soap.DSS.encode()),
                     BODY.replace(b"</GetAuthConfig>", b"<unknown>1</unknown></GetAuthConfig>"),
                     BODY.replace(b"</soap:Body>", b"<GetAuthConfig/></soap:Body>"),
                     BODY + BODY, BODY.replace(b"xmlsoap", b"xmlsoup")):
            with self.subTest(body[:60]):
                answer = self.answers(post(body=body), 500)
                self.assertIn(b"<ErrorCode>InvalidParameters</ErrorCode>", answer)
        self.assertEqual(self.seen(), before)


class PlainHttp(Scene):
    def setUp(self) -> None:
        self.catalogue = catalogue.Catalogue(52, 30, 4, big=0)
        self.up = self.upstream(self.catalogue)

    def plain(self, gate) -> Downstream:
        server = Downstream(gate.http_url, content=gate.http_url)
        self.addCleanup(server.close)
        return server

    def test_enforce(self) -> None:
        gate = self.gate(self.up)
        wire = self.wire(gate.http_url)
        for path, namespace in soap.NAMESPACES.items():
            with self.subTest(path):
                envelope = soap.request("GetCookie", namespace, "")
                answer = wire.post(path, f"{namespace}/GetCookie", envelope)
                self.assertEqual(answer.status, 403)
                self.assertTrue(answer.headers["content-type"].startswith("text/xml"))
                self.assertNotIn("location", answer.headers)
                self.assertNotIn("strict-transport-security", answer.headers)
                fault = soap.fault_of(403, answer.body)
                self.assertRegex(fault.message, "plain HTTP is refused")
                self.assertIn(str(gate.port), fault.message)
        self.assertEqual(self.up.requests(), [])
        self.assertGreater(gate.metric("sallyport_plain_http_requests_total", mode="enforce",
                                       action="refused"), 4)
        self.assertIn("127.0.0.1", gate.admin("/status.json")[1])
        self.assertEqual(gate.metric("sallyport_refusals_total"), 0)

    def test_audit_and_observe_pass_and_count(self) -> None:
        for mode in ("audit", "observe"):
            with self.subTest(mode):
                gate = self.gate(self.up, plain_http=mode)
                server = self.plain(gate)
                self.assert_synced(self.catalogue, server.sync())
                self.assertEqual(
                    gate.metric("sallyport_plain_http_requests_total", mode=mode, action="passed"),
                    server.synced.calls)
                self.assertIn("127.0.0.1", gate.admin("/status.json")[1])
                gate.stop()
                self.assertRegex(gate.log_text(), "(?i)plain")

    def test_content_needs_no_tls(self) -> None:
        gate = self.gate(self.up)
        server = self.downstream(gate)
        for claim in server.sync().claims.values():
            server.download(claim)

    def test_tls_on_the_plain_port_and_the_reverse(self) -> None:
        gate = self.gate(self.up)
        with contextlib.suppress(OSError):
            raw(gate.http_port, b"\x16\x03\x01\x00\x2f\x01" + bytes(60))
        answer = raw(gate.port, post())
        self.assertNotIn(b"200 OK", answer)
        self.assertEqual(self.up.requests(), [])
        with Wire(gate.url, self.pki.ca) as wire:  # it goes on
            self.assertEqual(wire.post(soap.SERVER_SYNC, f"{soap.S}/GetAuthConfig",
                                       BODY).status, 200)


if __name__ == "__main__":
    unittest.main()
