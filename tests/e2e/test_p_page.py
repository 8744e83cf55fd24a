"""The status page as people see it: what it says, in both languages, in light and dark, on a narrow
and on a wide screen, and that nothing of it complains or runs over."""
import json
import os
import tempfile
import unittest
import urllib.request
from pathlib import Path

import harness  # noqa: F401

from browser import Browser, program
from catalogue import Catalogue
from scene import Scene

OVERFLOWING = """[...document.querySelectorAll('body *')].filter((n) =>
    n.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((n) => n.tagName + ' ' + n.textContent.slice(0, 40))"""
SECTIONS = ["chain", "traffic", "requests", "ledger", "cache", "fills", "plain", "expiries",
            "refusals"]
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

    def test_history(self) -> None:
        history = json.loads(self.door.admin("/history.json")[1])
        rows = {len(history[k]) for k in ("requests", "refusals", "served", "fetched")}
        self.assertEqual(len(rows), 1)
        self.assertEqual(history["step_seconds"], 10)


if __name__ == "__main__":
    unittest.main()
