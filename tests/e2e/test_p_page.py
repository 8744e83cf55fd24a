"""The status page as people see it: what it says, in both languages, in light and dark, on a narrow
and on a wide screen, and that nothing of it complains or runs over."""
import json
import os
import tempfile
import unittest
import urllib.request
from pathlib import Path

import harness  # noqa: F401

import soap
from browser import Browser, program
from catalogue import Catalogue
from gate import wait_until
from scene import Scene

OVERFLOWING = """[...document.querySelectorAll('body *')].filter((n) =>
    n.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((n) => n.tagName + ' ' + n.textContent.slice(0, 40))"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# A value that is broken every few characters: nobody can read it.
SQUEEZED = """[...document.querySelectorAll('dd, td')].filter((n) => n.offsetHeight > 0 &&
    n.clientWidth < 48 && n.offsetHeight > 120).map((n) => n.textContent)"""
SECTIONS = ["chain", "traffic", "requests", "ledger", "cache", "fills", "expiries", "plain",
            "refusals"]
SERVER_ASKS = ("/ServerSyncWebService/ServerSyncWebService.asmx",
               f"{soap.S}/GetAuthConfig", soap.request("GetAuthConfig", soap.S, ""))
CLIENT_ASKS = ("/ClientWebService/client.asmx", f"{soap.C}/GetConfig", soap.client_request(
    "GetConfig", soap.C, "<protocolVersion>2.90</protocolVersion>"))
HOSTILE = "<img src=x onerror=alert(1)>"


class Page(Scene):
    """A gate with something to show: a sync, files, a refused file, an asker without TLS."""

    def setUp(self) -> None:
        self.catalogue = Catalogue(31, 60, 10, lies=True)
        self.door = self.gate(self.upstream(self.catalogue))
        server = self.downstream(self.door)
        claims = server.sync().claims
        wire = self.wire(self.door.http_url)
        for claim in sorted(claims.values(), key=lambda c: c.size)[:4]:
            wire.ask("GET", claim.path)
        self.assertEqual(wire.ask("GET", self.catalogue.liars["sha256"].path).status, 502)
        refused = wire.ask("POST", "/ClientWebService/client.asmx", {
            "Content-Type": "text/xml", "SOAPAction": '"GetConfig"'}, b"<x/>")
        self.assertEqual(refused.status, 403)
        self.url = f"http://127.0.0.1:{self.door.admin_port}/"

    def browser(self) -> Browser:
        if not program():
            print("SKIPPED: no Chromium is installed")
            self.skipTest("no Chromium")
        browser = Browser()
        self.addCleanup(browser.close)
        return browser

    def test_every_width_scheme_and_language(self) -> None:
        browser = self.browser()
        shots = Path(os.environ.get("SALLYPORT_SHOTS") or tempfile.mkdtemp())
        for language, words in (("en", ("Chain", "Refusals", "Plain HTTP", "days left")),
                                ("ja", ("経路", "拒否", "平文 HTTP", "残り"))):
            for scheme in ("light", "dark"):
                for width in (360, 1440):
                    with self.subTest(language=language, scheme=scheme, width=width):
                        browser.set(width, scheme, language)
                        browser.open(self.url)
                        browser.wait("document.querySelectorAll('section').length === 9")
                        text = browser.value("document.body.innerText")
                        for word in words + ("head-office", "file-sha256", "127.0.0.1"):
                            self.assertIn(word, text)
                        ids = browser.value(
                            "[...document.querySelectorAll('section')].map((n) => n.id)")
                        self.assertEqual(ids, SECTIONS)
                        self.assertEqual(browser.value(OVERFLOWING), [])
                        self.assertEqual(browser.value(TOO_WIDE), 0)
                        self.assertEqual(browser.value("document.documentElement.lang"), language)
                        browser.photograph(shots / f"{language}-{scheme}-{width}.png")
                        self.assertEqual(browser.complaints, [])

    def test_it_follows_and_tells_when_nobody_answers(self) -> None:
        browser = self.browser()
        browser.set(1440, "light", "en")
        browser.open(self.url)
        browser.wait("document.getElementById('state')?.textContent === 'all well'")
        before = self.door.status()["ledger"]["entries"]
        self.wire(self.door.http_url).ask("GET", self.catalogue.liars["sha1"].path)
        browser.wait("document.querySelector('#refusals').innerText.includes('file-sha1')")
        self.assertGreater(self.door.status()["ledger"]["entries"], before)
        self.door.stop()
        browser.wait("document.getElementById('state')?.textContent === 'no answer'")

    def test_what_came_from_outside_is_text(self) -> None:
        browser = self.browser()
        status = self.door.status()
        status["refusals"] = [{"what": HOSTILE, "peer": HOSTILE, "operation": HOSTILE,
                               "rule": HOSTILE, "why": HOSTILE, "at": status["now"]}]
        browser.set(1440, "light", "en")
        browser.open(self.url)
        browser.wait("document.querySelectorAll('section').length === 9")
        images, text = browser.value(
            f"status = {json.dumps(status)}; show(); [document.querySelectorAll('img').length,"
            "document.querySelector('#refusals').innerText]")
        self.assertEqual(images, 0)
        self.assertEqual(text.count(HOSTILE), 4)

    def busy(self) -> dict:
        """The status of a gate with everything to show, and names as long as they get."""
        status = self.door.status()
        now = status["now"]
        long = "a-server-with-a-long-name.in-a-branch.corp.example"
        status["upstreams"] = [
            {**status["upstreams"][0], "posture": "conforming", "posture_why": ""},
            {"name": long, "host": long + ":8531", "state": "failing", "posture": "non-conforming",
             "why": "no connection (Connection refused)", "last_good": "2026-01-01T00:00:00Z",
             "posture_why": "its certificate ends in 5 days"}]
        status["listeners"] += [{"name": long, "bind": "[2001:db8:1234:5678:9abc:def0:1234:5678]:8531",
                                 "upstream": long, "transport": "tls", "plain_http": "-",
                                 "client_certificates": True}]
        status["fills"] = [{"name": f"{i:040X}", "size": 5 << 30, "have": i << 30}
                           for i in range(1, 4)]
        status["plain_http"] = [{"peer": f"2001:db8:1234:5678:9abc:def0:1234:{i}", "passed": 12345,
                                 "operation": "GetDeployableReleasesAndMore", "refused": i,
                                 "last": now} for i in range(12)]
        status["refusals"] = [{"what": "metadata", "peer": long, "operation": "GetUpdateData",
                               "rule": "witness-no-contradiction", "at": now, "entry": 1234567,
                               "why": "the document of " + "0fa1201d-4330-4fa8-8ae9 " * 6}] * 20
        status["witnesses"] = [{"name": long, "agrees": 123456, "contradicts": 1,
                                "does_not_know": 2, "has_not_said": 3}]
        status["expiries"] += [{"name": "/etc/sallyport/" + long + ".pem", "until": now}]
        pin = "sha256//" + "Ab+/" * 10 + "abc="
        status["downstreams"] = {
            "servers": [{"address": "2001:db8:1234:5678:9abc:def0:1234:5678", "transport": "tls",
                         "tls": "TLSv1.3", "pin": pin, "requests": 123456, "plain_http": 12,
                         "last": "2026-01-01T00:00:00Z"}] +
                       [{"address": f"192.0.2.{i}", "transport": ("tls", "http")[i % 2],
                         "tls": ("TLSv1.2", "")[i % 2], "requests": i, "plain_http": i % 2 * i,
                         "last": now} for i in range(15)],
            "more": 1234, "clients": {"count": 12345, "requests": 1234567, "plain_http": 5}}
        status["lockdown"] = True
        status["cache"]["quarantine"] = {"files": 12, "bytes": 3 << 30}
        return status

    def test_busy(self) -> None:
        browser = self.browser()
        shots = Path(os.environ.get("SALLYPORT_SHOTS") or tempfile.mkdtemp())
        status = json.dumps(self.busy())
        past = json.dumps({k: [(i * 37 % 101) * 1000 for i in range(360)]
                           for k in ("requests", "refusals", "served", "fetched")})
        said = {"en": ("LOCKDOWN", "needs attention", "non-conforming", "TLSv1.3", "sha256//",
                       "12 · 3 GiB", "1 contradict", "3 GiB / 5 GiB", "client certificates",
                       "days left", "newest revision", "days ago", "12,345 clients",
                       "and 1,234 more servers", "12 of them over plain HTTP",
                       "never over plain HTTP"),
                "ja": ("ロックダウン", "要確認", "非準拠", "TLSv1.3", "sha256//", "12 · 3 GiB",
                       "矛盾 1", "3 GiB / 5 GiB", "クライアント証明書", "残り", "最新のリビジョン",
                       "日前", "クライアント 12,345 台", "ほかに下流サーバー 1,234 台", "うち平文 HTTP 12 件", "平文 HTTP の使用なし")}
        for language, width in (("en", 1440), ("ja", 360), ("ja", 1440)):
            with self.subTest(language=language, width=width):
                browser.set(width, "light", language)
                browser.open(self.url)
                browser.wait("document.querySelectorAll('section').length === 9")
                # what is shown is held: no event comes between this and the photograph
                text, charts, bars = browser.value(
                    f"status = {status}; past = {past}; show(); show = () => {{}};"
                    "[document.body.innerText, document.querySelectorAll('svg polyline').length,"
                    "document.querySelectorAll('progress').length]")
                for word in said[language]:
                    self.assertIn(word, text)
                self.assertEqual((charts, bars), (4, 3))
                self.assertEqual(browser.value(OVERFLOWING), [])
                self.assertEqual(browser.value(TOO_WIDE), 0)
                self.assertEqual(browser.value(SQUEEZED), [])
                browser.photograph(shots / f"busy-{language}-{width}.png")

    def test_it_needs_nothing_from_elsewhere(self) -> None:
        with urllib.request.urlopen(self.url, timeout=10) as reply:
            text, fields = reply.read().decode(), reply.headers
        policy = fields["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        for outside in ("https://", "src=", "href=", "@import", "url("):
            self.assertNotIn(outside, text)

    def test_events_carry_the_status(self) -> None:
        status, text = self.door.admin("/events")
        self.assertEqual(status, 200)
        retry, data, *rest = text.split("\n")
        self.assertEqual(retry, "retry: 1000")
        event = json.loads(data.removeprefix("data: "))
        self.assertEqual(event.keys(), self.door.status().keys())
        self.assertEqual(rest, ["", ""])

    def behind(self, door, address: str, asked: int) -> dict:
        """What is told of a server, once so many of its requests are over: the last answer may be
        here before its end is noted."""
        def rows() -> list[dict]:
            return [r for r in door.status()["downstreams"]["servers"]
                    if (r["address"], r["requests"]) == (address, asked)]
        wait_until(f"{address} asked {asked} times", rows)
        return rows()[0]

    def wait_for_clients(self, **expected: int) -> None:
        wait_until(f"clients: {expected}",
                   lambda: self.door.status()["downstreams"]["clients"] == expected)

    def test_downstreams(self) -> None:
        """With a client certificate, without one, and without TLS; a client is a count."""
        demanding = self.gate(self.door.upstream, client_ca=self.pki.file("client-ca.pem"))
        self.wire(demanding.url, pair=self.pki.pair("client")).post(*SERVER_ASKS)
        row = self.behind(demanding, "127.0.0.1", 1)
        self.assertTrue(row["pin"].startswith("sha256//"))
        self.assertEqual((row["transport"], row["tls"]), ("tls", "TLSv1.3"))

        def told(row: dict) -> tuple:
            return row["transport"], row["tls"], row["plain_http"], "pin" in row

        for _ in range(3):
            self.wire(self.door.url, source="127.0.0.2").post(*SERVER_ASKS)
        self.assertEqual(told(self.behind(self.door, "127.0.0.2", 3)), ("tls", "TLSv1.3", 0, False))
        plain = self.door.http_url.replace("localhost", "127.0.0.1")
        self.wire(plain, source="127.0.0.3").post(*SERVER_ASKS)
        self.assertEqual(told(self.behind(self.door, "127.0.0.3", 1)), ("http", "", 1, False))
        self.wire(self.door.url, source="127.0.0.4").post(*CLIENT_ASKS)
        self.wait_for_clients(count=1, requests=1, plain_http=0)
        self.assertEqual({r["address"] for r in self.door.status()["downstreams"]["servers"]},
                         {"127.0.0.1", "127.0.0.2", "127.0.0.3"})
        self.wire(self.door.url, source="127.0.0.3").post(*SERVER_ASKS)
        self.assertEqual(told(self.behind(self.door, "127.0.0.3", 2)), ("tls", "TLSv1.3", 1, False))

    def test_downstreams_are_shown(self) -> None:
        browser = self.browser()
        plain = self.door.http_url.replace("localhost", "127.0.0.1")
        self.wire(plain, source="127.0.0.3").post(*SERVER_ASKS)
        self.wire(self.door.url, source="127.0.0.4").post(*CLIENT_ASKS)
        self.behind(self.door, "127.0.0.3", 1)
        self.wait_for_clients(count=1, requests=1, plain_http=0)
        for language, words in (("en", ("downstream 127.0.0.3", "no client certificate",
                                        "1 client\n")),
                                ("ja", ("下流 127.0.0.3", "証明書の提示なし",
                                        "クライアント 1 台\n"))):
            browser.set(1440, "light", language)
            browser.open(self.url)
            browser.wait("document.querySelectorAll('section').length === 9")
            text = browser.value("document.querySelector('#chain').innerText")
            for word in words:
                self.assertIn(word, text)
        warned = browser.value("[...document.querySelectorAll('#chain .box')].filter((n) =>"
                               "n.innerText.includes('127.0.0.3') && n.querySelector('.warn')).length")
        self.assertEqual(warned, 1)

    def test_many_downstreams(self) -> None:
        """Sixteen one by one, the rest as a number."""
        plain = self.door.http_url.replace("localhost", "127.0.0.1")
        for i in range(17):
            self.wire(plain, source=f"127.0.1.{i}").post(*SERVER_ASKS)
        wait_until("all are told of", lambda: self.door.status()["downstreams"]["more"] == 2)
        told = self.door.status()["downstreams"]["servers"]
        self.assertEqual((len(told), len({r["address"] for r in told})), (16, 16))

    def test_history(self) -> None:
        history = json.loads(self.door.admin("/history.json")[1])
        rows = {len(history[k]) for k in ("requests", "refusals", "served", "fetched")}
        self.assertEqual(len(rows), 1)
        self.assertEqual(history["step_seconds"], 10)


if __name__ == "__main__":
    unittest.main()
