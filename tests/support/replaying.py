"""Recorded requests sent through sallyport to an upstream that answers with recorded bytes.

What comes back is what was recorded, but for the documented rewrites: a cookie leaves sealed, and a
file of the upstream is told to be at sallyport. A recorded request is sent with the sealed form of
its cookie, and the upstream must see the recorded one.
"""
import re
from urllib.parse import urlsplit

import coding
import corpus
import soap
from gate import Gate
from replay_upstream import ReplayUpstream
from scene import Scene

CODINGS = ("identity", "chunked", "gzip", "xpress")
URL = re.compile(rb"<Url>([^<]+)</Url>")
COOKIE = re.compile(rb"<(CookieData|EncryptedData)>([^<]+)<")


class Replaying(Scene):
    """folder is set by the test program."""

    folder = ""

    def setUp(self) -> None:
        self.sealed: dict[bytes, bytes] = {}  # recorded cookie -> what it left as

    def dialogue(self, mode: str) -> tuple[list[corpus.Recorded], ReplayUpstream, Gate]:
        recorded = corpus.dialogue(self.folder)
        self.assertGreater(len(recorded), 10)
        upstream = ReplayUpstream(recorded, *self.pki.pair("upstream"), mode=mode)
        self.addCleanup(upstream.close)
        gate = self.gate(upstream.url, file_locations="any")
        self.sealed.clear()
        self._issue_earlier(recorded, upstream, gate)
        return recorded, upstream, gate

    def _issue_earlier(self, recorded: list[corpus.Recorded], upstream: ReplayUpstream,
                       gate: Gate) -> None:
        """Cookies of clients that the recording does not show being given."""
        given: set[bytes] = set()
        for entry in recorded:
            for _, cookie in COOKIE.findall(entry.request):
                if cookie not in given:
                    self._issue(upstream, gate, cookie)
                    given.add(cookie)
            given |= {cookie for _, cookie in COOKIE.findall(entry.response)}

    def _issue(self, upstream: ReplayUpstream, gate: Gate, cookie: bytes) -> None:
        wire = self.wire(gate.url)
        upstream.say(soap.SIMPLE_AUTH, "GetAuthorizationCookie", soap.response(
            "GetAuthorizationCookie", soap.SIMPLE, "<CookieData>AAEC</CookieData>"))
        first = wire.call(soap.SIMPLE_AUTH, "GetAuthorizationCookie",
                          soap.request("GetAuthorizationCookie", soap.SIMPLE, ""))
        upstream.say(soap.CLIENT, "GetCookie", soap.client_response(
            "GetCookie", f"<EncryptedData>{cookie.decode()}</EncryptedData>"))
        data = soap.text(first, "GetAuthorizationCookieResult", "CookieData")
        second = wire.call(soap.CLIENT, "GetCookie", soap.request(
            "GetCookie", soap.C, "<authCookies><AuthorizationCookie><CookieData>"
            f"{data}</CookieData></AuthorizationCookie></authCookies>"))
        self.sealed[cookie] = soap.text(second, "GetCookieResult", "EncryptedData").encode()

    def send(self, gate: Gate, entry: corpus.Recorded, accept: str) -> bytes:
        """The recorded request with its own heads; the decoded body after checking the head, as
        the upstream must have sent it."""
        heads = {"Content-Type": entry.request_headers["content-type"],
                 "SOAPAction": entry.request_headers["soapaction"]}
        for name in ("user-agent", "ms-cv", "cache-control", "pragma"):
            if name in entry.request_headers:
                heads[name] = entry.request_headers[name]
        if accept:
            heads["Accept-Encoding"] = accept
        asked = COOKIE.sub(lambda m: m[0].replace(m[2], self.sealed[m[2]]), entry.request)
        answer = self.wire(gate.url).ask("POST", entry.target, heads, asked)
        self.assertEqual(answer.status, entry.status,
                         f"{entry.name} {entry.operation}: {answer.body[:600]!r}")
        self.assertEqual(answer.headers["content-type"], entry.response_headers["content-type"])
        if answer.coding:
            self.assertEqual(answer.coding, accept)
        body = coding.decode(answer.coding, answer.body)
        return self._moved_back(gate, entry, self._unsealed(entry, body))

    def _moved_back(self, gate: Gate, entry: corpus.Recorded, body: bytes) -> bytes:
        """The body with the upstream's addresses again."""
        for recorded in URL.findall(entry.response):
            path = urlsplit(recorded).path
            self.assertRegex(path.lower(), rb"^/content/[0-9a-f]{2}/[0-9a-f]{40}\.\w+$")
            told = f"<Url>{gate.url}".encode() + path + b"</Url>"
            self.assertIn(told, body, entry.name)
            body = body.replace(told, b"<Url>" + recorded + b"</Url>", 1)
        return body

    def _unsealed(self, entry: corpus.Recorded, body: bytes) -> bytes:
        """The body with the upstream's cookie again; what it left as is kept."""
        given = COOKIE.findall(entry.response)
        if not given:
            return body
        [(_, sealed)], [(_, cookie)] = COOKIE.findall(body), given
        self.assertNotEqual(sealed, cookie, f"{entry.name}: the cookie was relayed")
        self.sealed[cookie] = sealed
        return body.replace(sealed, cookie)

    def replay(self, mode: str, accept: str) -> None:
        """All of it, in order: byte-identical after the coding, every request recognised."""
        recorded, upstream, gate = self.dialogue(mode)
        for entry in recorded:
            self.assertEqual(self.send(gate, entry, accept), entry.response,
                             f"{entry.name} {entry.operation}")
        self.assertEqual(upstream.unknown, [])
        self.assertEqual(upstream.strays, [], "what was asked upstream says something else")
        self.assertEqual(gate.metric("sallyport_refusals_total"), 0, "a false refusal")
        self.assertEqual(gate.stop(), 0)
        gate.verify_ledger()
