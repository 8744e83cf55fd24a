"""The shapes of CVE-2025-59287 and CVE-2023-35317 in every encoding an XML reader can be talked
into, inert: none reaches the upstream. And their legitimate neighbours, which do."""
import base64
import gzip
import re
import unittest

import harness  # noqa: F401

import catalogue
import contracts
import soap
from gate import Gate, wait_until
from httpd import Reply, Request, Server, server_context
from pki import SOURCE
from scene import Scene, raw, statuses

KEY = "SynchronizationUpdateErrorsKey"
DATA = "&lt;SOAP-ENV:Envelope xmlns:a=&quot;http://schemas.microsoft.com/clr/x&quot;/&gt;"
DATUM = f"{KEY}={DATA}"
BASIC = ("<NamespaceID>{}</NamespaceID><EventID>{}</EventID><SourceID>301</SourceID>"
         "<UpdateID><UpdateID>00000000-0000-0000-0000-000000000000</UpdateID><RevisionNumber>0"
         "</RevisionNumber></UpdateID><AppName>LocalServer</AppName>")
ORDINARY = BASIC.format(1, 147)
HEAD = '<?xml version="1.0" encoding="utf-8"?>'


def event(data: str, basic: str = ORDINARY, extended: str = "") -> str:
    return (f"<ReportingEvent><BasicData>{basic}</BasicData><ExtendedData>{extended}<MiscData>"
            f"{data}</MiscData></ExtendedData></ReportingEvent>")


def string(datum: str) -> str:
    return f"<string>{datum}</string>"


def batch(events: str, operation: str = "ReportEventBatch", head: str = HEAD, body: str = "",
          ns: str = soap.S) -> str:
    return (f'{head}<s:Envelope xmlns:s="{soap.ENVELOPE}" xmlns:i="{soap.XSI}" xmlns:o="urn:o">'
            f'<s:Body><{operation} xmlns="{ns}"><clientTime>2026-01-02T03:04:05Z</clientTime>'
            f"<eventBatch>{events}</eventBatch></{operation}>{body}</s:Body></s:Envelope>")


def split(text: str, by: str) -> str:
    return by.join((text[:7], text[7:15], text[15:]))


def references(text: str, form: str) -> str:
    return "".join(form.format(ord(c)) for c in text)


ENTITY = f'<!DOCTYPE s [<!ENTITY k "{KEY}">]>'
SHAPES = {
    "as published": batch(event(string(DATUM), BASIC.format(2, 389))),
    "namespace 1": batch(event(string(DATUM), BASIC.format(1, 389))),
    "a client's event": batch(event(string(DATUM))),
    "second operation": batch(event(string(DATUM)), "ReportEventBatch2"),
    "empty value": batch(event(string(f"{KEY}="))),
    "case": batch(event(string(f"{KEY.lower()}={DATA}"))),
    "blanks before": batch(event(string(f" \t\r\n{DATUM}"))),
    "no-break space before": batch(event(string(f"&#xA0;{DATUM}"))),
    "zero width space before": batch(event(string(f"&#x200B;{DATUM}"))),
    "behind a good one": batch(event(string("A=1") + string(DATUM))),
    "in a later event": batch(event(string("A=1")) + event(string(DATUM))),
    "decimal references": batch(event(string(references(KEY, "&#{};") + "=" + DATA))),
    "hexadecimal references": batch(event(string(references(KEY, "&#x{:x};") + "=" + DATA))),
    "padded references": batch(event(string(references(KEY, "&#{:09d};") + "=" + DATA))),
    "reference for the equals sign": batch(event(string(f"{KEY}&#61;{DATA}"))),
    "CDATA": batch(event(string(f"<![CDATA[{KEY}=<SOAP-ENV:Envelope/>]]>"))),
    "CDATA in pieces": batch(event(string(
        split(KEY, "<![CDATA[]]>") + "<![CDATA[=<SOAP-ENV:Envelope/>]]>"))),
    "comment inside": batch(event(string(split(KEY, "<!-- -->") + f"={DATA}"))),
    "comment before": batch("<!-- -->" + event(string(DATUM))),
    "instruction inside": batch(event(string(split(KEY, "<?x y?>") + f"={DATA}"))),
    "stylesheet": batch(event(string("A=1")), head=HEAD + '<?xml-stylesheet href="x"?>'),
    "entity": batch(event(string(f"&k;={DATA}")), head=HEAD + ENTITY),
    "unused entity": batch(event(string("A=1")), head=HEAD + ENTITY),
    "external entity": batch(event(string("A=&x;")), head=HEAD + (
        '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///c:/windows/win.ini">]>')),
    "markup under a known tag": batch(event(string(f"A={DATA}"))),
    "element in a string": batch(event(string(f"A=1<string>{DATUM}</string>"))),
    "two MiscData": batch(event(string("A=1")).replace(
        "</MiscData>", f"</MiscData><MiscData>{string(DATUM)}</MiscData>")),
    "two ExtendedData": batch(event(string("A=1")).replace(
        "</ExtendedData>", f"</ExtendedData><ExtendedData><MiscData>{string(DATUM)}"
        "</MiscData></ExtendedData>")),
    "two NamespaceID": batch(event(string("A=1"), BASIC.format(1, 147).replace(
        "<EventID>", "<NamespaceID>2</NamespaceID><EventID>"))),
    "NamespaceID +2": batch(event(string("A=1"), BASIC.format("+2", 147))),
    "NamespaceID 002": batch(event(string("A=1"), BASIC.format("002", 147))),
    "EventID 0389": batch(event(string("A=1"), BASIC.format(1, "0389"))),
    "EventID 65925": batch(event(string("A=1"), BASIC.format(1, 65536 + 389))),
    "prefix of another namespace": batch(event(f"<o:string>{DATUM}</o:string>")),
    "prefix and default": batch(event(f'<x:string xmlns:x="{soap.S}">{DATUM}</x:string>')),
    "xsi:type": batch(event(f'<string i:type="o:x">{DATUM}</string>')),
    "xsi:type of a good one": batch(event('<string i:type="o:x">A=1</string>')),
    "href": batch(event('<string href="#k"/>'), body=f'<string id="k">{DATUM}</string>'),
    "second body element": batch(event(string("A=1")),
                                 body=batch(event(string(DATUM)), head="").partition(
                                     "<s:Body>")[2].partition("</s:Body>")[0]),
    "SOAP header": batch(event(string("A=1"))).replace(
        "<s:Body>", f"<s:Header>{DATUM}</s:Header><s:Body>"),
    "SOAP 1.2": batch(event(string(DATUM))).replace(
        soap.ENVELOPE, "http://www.w3.org/2003/05/soap-envelope"),
    "another operation in the body": batch(event(string(DATUM)), "ReportInventory"),
    "another service's namespace": batch(event(string(DATUM)), ns=soap.C),
    "XML 1.1": batch(event(string(DATUM)), head='<?xml version="1.1"?>'),
    "ISO-8859-1 declared": batch(event(string(DATUM)),
                                 head='<?xml version="1.0" encoding="iso-8859-1"?>'),
    "UTF-7 declared": batch(event(string(f"+AFM-{DATUM[1:]}")),
                            head='<?xml version="1.0" encoding="utf-7"?>'),
    "xsi:nil": batch(event(f'<string i:nil="true">{DATUM}</string>')),
    "encoded array": batch(event(string(DATUM))).replace(
        "<MiscData>", '<MiscData xmlns:e="http://schemas.xmlsoap.org/soap/encoding/" '
        'e:arrayType="o:string[1]">'),
    "encoding style": batch(event(string(DATUM))).replace(
        "<s:Body>", '<s:Body s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">'),
    "header to be understood": batch(event(string("A=1"))).replace(
        "<s:Body>", f'<s:Header><o:h s:mustUnderstand="1">{DATUM}</o:h></s:Header><s:Body>'),
    "deep": batch(event(string("<a>" * 200 + DATUM + "</a>" * 200))),
    "many attributes": batch(event(
        "<string " + " ".join(f'a{i}="1"' for i in range(100)) + f">{DATUM}</string>")),
    "attribute": batch(event(f'<string value="{DATUM}">A=1</string>')),
    "two batches": batch(event(string("A=1"))).replace(
        "</eventBatch>", f"</eventBatch><eventBatch>{event(string(DATUM))}</eventBatch>"),
    "before its place": batch(event(string("A=1")) + f"<MiscData>{string(DATUM)}</MiscData>"),
    "as a replacement string": batch(event(string("A=1"), extended=(
        f"<ReplacementStrings>{string(DATUM)}</ReplacementStrings>"
        f"<ReplacementStrings>{string(DATUM)}</ReplacementStrings>"))),
    "full-width equals sign": batch(event(string(f"{KEY}\uff1d{DATA}"))),
    "long s": batch(event(string(f"\u017fynchronizationUpdateErrorsKey={DATA}"))),
    "soft hyphen": batch(event(string(f"Synchronization\u00adUpdateErrorsKey={DATA}"))),
    "right to left": batch(event(string(f"\u202e{DATUM}"))),
    "administrator": batch(event(string(f"Administrator={DATA}"))),
    "NamespaceID with blanks": batch(event(string("A=1"), BASIC.format(" 2 ", 147))),
    "NamespaceID 1.0": batch(event(string("A=1"), BASIC.format("1.0", 147))),
    "NamespaceID 0x1": batch(event(string("A=1"), BASIC.format("0x1", 147))),
    "NamespaceID 4294967297": batch(event(string("A=1"), BASIC.format(2 ** 32 + 1, 147))),
    "EventID with blanks": batch(event(string("A=1"), BASIC.format(1, " 389 "))),
    "EventID +389": batch(event(string("A=1"), BASIC.format(1, "+389"))),
    "EventID in references": batch(event(string("A=1"), BASIC.format(1, "&#51;&#56;&#57;"))),
    "long value": batch(event(string("A=" + "x" * 4095))),
    "65 data": batch(event(string("A=1") * 65)),
    "1,001 events": batch(event(string("A=1")) * 1001),
}
GOOD = {
    "one": batch(event(string("A=1"))),
    "second operation": batch(event(string("A=1")), "ReportEventBatch2"),
    "the key as a value": batch(event(string(f"A={KEY}"))),
    "references": batch(event(string("&#65;&#x3d;1"))),
    "CDATA": batch(event(string("<![CDATA[A=1]]>"))),
    "64 data": batch(event(string("A=1") * 64)),
    "longest value": batch(event(string("A=" + "x" * 4094))),
    "integers as .NET reads them": batch(event(string("A=1"), BASIC.format("+001", " 0147 "))),
    "a process": batch(event(string("AppName=&lt;&lt;PROCESS&gt;&gt;: powershell.exe"))),
    "byte order mark": "\ufeff" + batch(event(string("A=1"))),
    "prefixes": batch(event(f'<x:string xmlns:x="{soap.S}">A=1</x:string>')),
}
WIDE = {
    "UTF-16 LE": batch(event(string(DATUM)), head="").encode("utf-16-le"),
    "UTF-16 BE": batch(event(string(DATUM)), head="").encode("utf-16-be"),
    "UTF-16 with a mark": batch(event(string(DATUM)), head="").encode("utf-16"),
    "UTF-32": batch(event(string(DATUM)), head="").encode("utf-32"),
    "UTF-7": batch(event(string(DATUM)), head="").encode("utf-7"),
    "EBCDIC": batch(event(string(DATUM)), head="").encode("cp500"),
    "overlong UTF-8": batch(event(string(DATUM))).encode().replace(
        b"Synch", b"\xc1\x93ynch"),
    "NUL": batch(event(string(DATUM))).encode().replace(b"Synch", b"Sy\0nch"),
    "compressed": gzip.compress(batch(event(string(DATUM))).encode()),
}
ACTION = soap.action(soap.REPORTING, "ReportEventBatch")
INNER = batch(event(string(DATUM))).encode()
SOAP_HEAD = f'Content-Type: text/xml; charset=utf-8\r\nSOAPAction: "{ACTION}"\r\n'
LENGTH = f"Content-Length: {len(INNER)}\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(INNER), INNER)
# what the head says of where the body ends, or hides from a first look
FRAMES = {
    "both lengths": (f"{LENGTH}Transfer-Encoding: chunked\r\n", CHUNKED),
    "no length for one, chunks for the other": ("Content-Length: 0\r\nTransfer-Encoding: "
                                                "chunked\r\n", CHUNKED),
    "two lengths": (f"Content-Length: 0\r\n{LENGTH}", INNER),
    "a list of lengths": (f"Content-Length: 0, {len(INNER)}\r\n", INNER),
    "a length with a sign": (f"Content-Length: +{len(INNER)}\r\n", INNER),
    "other coding": ("Transfer-Encoding: xchunked\r\n", CHUNKED),
    "coding in a list": ("Transfer-Encoding: identity, chunked\r\n", CHUNKED),
    "underscores": (f"{LENGTH}Transfer_Encoding: chunked\r\n", INNER),
    "blank before the colon": ("Transfer-Encoding : chunked\r\n", CHUNKED),
    "chunk extension": ("Transfer-Encoding: chunked\r\n", CHUNKED.replace(b"\r\n", b";a=b\r\n", 1)),
    "trailers": ("Transfer-Encoding: chunked\r\n",
                 CHUNKED[:-2] + f"SOAPAction: {ACTION}\r\n\r\n".encode()),
    "chunk size with a sign": ("Transfer-Encoding: chunked\r\n", b"+" + CHUNKED),
    "folded": (f"X: a\r\n b\r\n{LENGTH}", INNER),
    "bare line feed": (f"X: a\n{LENGTH}", INNER),
    "bare carriage return": (f"X: a\rY: b\r\n{LENGTH}", INNER),
    "NUL in a value": (f"X: a\0b\r\n{LENGTH}", INNER),
    "deflate": (f"Content-Encoding: deflate\r\n{LENGTH}", INNER),
    "two codings": (f"Content-Encoding: gzip, gzip\r\n{LENGTH}", INNER),
    "two hosts": (f"Host: other\r\n{LENGTH}", INNER),
    "upgrade": (f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n{LENGTH}", INNER),
    "expectation": (f"Expect: 200-ok\r\n{LENGTH}", INNER),
}
NAME = "/ReportingWebService/ReportingWebService.asmx"
PATHS = (f"{NAME}/ReportEventBatch", f"{NAME}?op=ReportEventBatch", f"{NAME}?wsdl", f"{NAME}.",
         f"{NAME}%20", f"{NAME}::$DATA", f"{NAME};a=b", NAME.replace("/R", "/./R", 1),
         NAME.replace("/R", "/x/../R", 1), NAME.replace("/R", "/x/%2e%2e/R", 1),
         NAME.replace("/R", "/%252e/R", 1), NAME.replace("/R", "\\R", 1),
         NAME.replace("/", "%2f"), NAME.replace("e.asmx", "%65.asmx"),
         NAME.replace("e.asmx", "%u0065.asmx"), NAME.replace("e.asmx", "%c1%a5.asmx"),
         "/REPORT~1/REPORT~1.ASM", f"http://localhost{NAME}", f"//localhost{NAME}", f"/.{NAME}",
         "/ApiRemoting30/WebService.asmx", "*")
COOKIE = base64.b64encode(b"\0\1\0\0\0\xff\xff\xff\xff" + bytes(200)).decode()


class Shapes(Scene):
    def setUp(self) -> None:
        self.up = self.upstream(catalogue.Catalogue(3, 6, 1, big=0))
        self.door = self.gate(self.up)
        self.asker = self.wire(self.door.url)

    def ask(self, body: bytes, operation: str = "", path: str = soap.REPORTING) -> int:
        name = operation or ("ReportEventBatch2" if b"ReportEventBatch2" in body
                             else "ReportEventBatch")
        return self.asker.post(path, soap.action(path, name), body).status

    def assert_kept_out(self, what: str, status: int) -> None:
        self.assertIn(status, (400, 413, 415, 500), what)
        self.assertEqual(self.up.requests(), [], f"{what}: it reached the upstream")

    def test_reports(self) -> None:
        for what, body in SHAPES.items():
            with self.subTest(what):
                self.assert_kept_out(what, self.ask(body.encode()))

    def test_encodings(self) -> None:
        for what, body in WIDE.items():
            with self.subTest(what):
                self.assert_kept_out(what, self.ask(body, "ReportEventBatch"))

    def test_neighbours_pass(self) -> None:
        for count, (what, body) in enumerate(GOOD.items(), 1):
            with self.subTest(what):
                self.ask(body.encode())
                self.assertEqual(len(self.up.requests()), count)

    def test_cookies(self) -> None:
        plugs = "".join(
            "<AuthorizationCookie><PlugInId>SimpleTargeting</PlugInId>"
            f"<CookieData>{c}</CookieData></AuthorizationCookie>" for c in (COOKIE, COOKIE))
        one = plugs[:len(plugs) // 2]
        asks = {
            "client": (soap.CLIENT, "GetCookie", f"<authCookies>{one}</authCookies>"),
            "server": (soap.SERVER_SYNC, "GetCookie", f"<authCookies>{one}</authCookies>"),
            "two": (soap.CLIENT, "GetCookie", f"<authCookies>{plugs}</authCookies>"),
            "in pieces": (soap.CLIENT, "GetCookie", "<authCookies>" + one.replace(
                COOKIE, f"{COOKIE[:9]}<![CDATA[{COOKIE[9:]}]]>") + "</authCookies>"),
            "later": (soap.CLIENT, "RegisterComputer",
                      f"<cookie><EncryptedData>{COOKIE}</EncryptedData></cookie>"),
            "to reporting": (soap.REPORTING, "GetRollupConfiguration",
                             f"<cookie><EncryptedData>{COOKIE}</EncryptedData></cookie>"),
        }
        for what, (path, operation, inner) in asks.items():
            with self.subTest(what):
                body = soap.request(operation, soap.NAMESPACES[path], inner)
                self.assert_kept_out(what, self.ask(body, operation, path))

    def test_on_the_wire(self) -> None:
        """In chunks of one byte, coded, under another SOAPAction, as another type."""
        body = batch(event(string(DATUM))).encode()
        action = soap.action(soap.REPORTING, "ReportEventBatch")
        chunks = b"".join(b"1\r\n%c\r\n" % c for c in body) + b"0\r\n\r\n"
        plain = f"Content-Length: {len(body)}\r\n"
        xml = "Content-Type: text/xml; charset=utf-8\r\n"
        heads = {
            "chunks": (f'{xml}SOAPAction: "{action}"\r\nTransfer-Encoding: chunked\r\n', chunks),
            "coded": (f'{xml}SOAPAction: "{action}"\r\nContent-Encoding: gzip\r\n{plain}', body),
            "no action": (xml + plain, body),
            "two actions": (f'{xml}SOAPAction: "{action}"\r\nSOAPAction: "x"\r\n{plain}', body),
            "SOAP 1.2": (f"Content-Type: application/soap+xml\r\n{plain}", body),
            "utf-16": (f'Content-Type: text/xml; charset=utf-16\r\nSOAPAction: "{action}"\r\n'
                       f"{plain}", body),
        }
        for what, (head, sent) in heads.items():
            with self.subTest(what):
                data = (f"POST {soap.REPORTING} HTTP/1.1\r\nHost: localhost\r\n{head}"
                        "Connection: close\r\n\r\n").encode() + sent
                for status in statuses(raw(self.door.port, data, self.pki.ca)):
                    self.assert_kept_out(what, status)

    def test_frames(self) -> None:
        """Where one reader sees one request and another two, or none (threats H1 to H3, H9)."""
        for what, (head, sent) in FRAMES.items():
            with self.subTest(what):
                data = (f"POST {soap.REPORTING} HTTP/1.1\r\nHost: localhost\r\n{SOAP_HEAD}"
                        f"{head}\r\n").encode() + sent
                answered = statuses(raw(self.door.port, data, self.pki.ca))
                self.assertTrue(answered)
                for status in answered:
                    self.assertGreaterEqual(status, 400)
                self.assertEqual(self.up.requests(), [])

    def test_paths(self) -> None:
        """Spellings that another server may read as the same path (threats H4, X7)."""
        for path in PATHS:
            for method in ("POST", "GET", "PUT"):
                with self.subTest(f"{method} {path}"):
                    data = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{SOAP_HEAD}"
                            f"{LENGTH}Connection: close\r\n\r\n").encode() + INNER
                    for status in statuses(raw(self.door.port, data, self.pki.ca)):
                        self.assertIn(status, (400, 404, 405, 500))
                    self.assertEqual(self.up.requests(), [])

    def test_a_bad_one_behind_a_good_one(self) -> None:
        """What stands behind a whole request is one of its own (threats H10)."""
        good = batch(event(string("A=1"))).encode()
        head = (f"POST {soap.REPORTING} HTTP/1.1\r\nHost: localhost\r\n{SOAP_HEAD}"
                "Content-Length: {}\r\n\r\n")
        data = (head.format(len(good)).encode() + good + head.format(len(INNER)).encode() + INNER
                + head.format(len(good)).replace("POST", "GET").encode() + good)
        raw(self.door.port, data, self.pki.ca)
        self.assertEqual([KEY.encode() in r.body for r in self.up.requests()], [False])

    def test_cookies_of_every_operation(self) -> None:
        """CVE-2023-35317: what sallyport did not seal goes no further, wherever it stands."""
        seen = 0
        for (_, name), operation in contracts.ALL.items():
            asked = operation.request()
            forged = re.sub(rb"<(EncryptedData|CookieData)>[^<]*<", lambda m: b"<%s>%s<" % (
                m[1], COOKIE.encode()), asked)
            if forged == asked:
                continue
            seen += 1
            with self.subTest(name):
                self.assert_kept_out(name, self.ask(forged, name, operation.path))
        self.assertGreater(seen, 20)

    def test_cookies_in_other_words(self) -> None:
        spellings = {
            "blanks": " ".join(COOKIE), "lines": "&#10;".join(COOKIE),
            "references": "".join(f"&#{ord(c)};" for c in COOKIE),
            "without padding": COOKIE.rstrip("="), "url-safe": COOKIE.replace("/", "_"),
            "comment": f"{COOKIE[:8]}<!-- -->{COOKIE[8:]}", "empty": "", "zeros": "A" * 400,
            "long": base64.b64encode(bytes(8193)).decode()}
        for what, spelled in spellings.items():
            for plug in ("SimpleTargeting", "DssTargeting", "Anonymous", ""):
                inner = ("<authCookies><AuthorizationCookie>"
                         f"<PlugInId>{plug}</PlugInId><CookieData>{spelled}</CookieData>"
                         "</AuthorizationCookie></authCookies>")
                for path in (soap.CLIENT, soap.SERVER_SYNC):
                    with self.subTest(f"{what} {plug} {path}"):
                        self.assert_kept_out(what, self.ask(soap.request(
                            "GetCookie", soap.NAMESPACES[path], inner), "GetCookie", path))

    def test_unknown_tags(self) -> None:
        """strict refuses the report; branch passes it without them, and says so."""
        body = batch(event(string("A=1") + string("E=2"))).encode()
        self.assert_kept_out("strict", self.ask(body))
        branch = self.gate(self.up, policy=SOURCE / "policies" / "branch-2026.policy")
        with_branch = self.wire(branch.url)
        with_branch.post(soap.REPORTING, soap.action(soap.REPORTING, "ReportEventBatch"), body)
        [sent] = [r.body for r in self.up.requests()]
        self.assertIn(b"<string>A=1</string></MiscData>", sent)
        self.assertNotIn(b"E=2", sent)
        wait_until("the log says so",
                   lambda: [e["left_out"] for e in branch.log() if "left_out" in e] == [1])


class WindowsAuthentication(Scene):
    def test_it_is_told_apart_and_never_relayed(self) -> None:
        seen: list[Request] = []

        def demand(request: Request) -> Reply:
            seen.append(request)
            return Reply(401, [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM"),
                               ("Content-Type", "text/html")], b"<html>no</html>")

        server = Server(demand, server_context(*self.pki.pair("upstream")))
        self.addCleanup(server.close)
        gate: Gate = self.gate(f"https://localhost:{server.port}")
        answer = self.wire(gate.url).ask("POST", soap.SERVER_SYNC, {
            "Content-Type": soap.CONTENT_TYPE, "Authorization": "NTLM TlRMTVNTUAABAAAA",
            "Proxy-Authorization": "Negotiate YII=",
            "SOAPAction": f'"{soap.action(soap.SERVER_SYNC, "GetAuthConfig")}"'},
            soap.request("GetAuthConfig", soap.S, ""))
        fault = soap.fault_of(answer.status, answer.body)
        self.assertRegex(fault.message, "head-office.*Windows authentication.*0x80244017")
        self.assertNotIn("www-authenticate", answer.headers)
        [request] = seen
        for name in ("Authorization", "Proxy-Authorization"):
            self.assertFalse(request.header(name))
        wait_until("the log says so", lambda: "0x80244017" in gate.log_text())


if __name__ == "__main__":
    unittest.main()
