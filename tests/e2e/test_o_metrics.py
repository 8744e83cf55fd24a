"""What /metrics says is what docs/monitoring describes, and what its rules and panels ask for."""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
import unittest
import urllib.request
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from gate import wait_until
from scene import Scene

DOCS = Path(os.environ.get("SALLYPORT_SOURCE", Path(__file__).parents[2])) / "docs/monitoring"
NAME = r"\bsallyport_[a-z0-9_]+"
LABELS = {"instance", "job", "le"}  # Prometheus' own


def series(text: str) -> dict[str, set[str]]:
    """Names of samples and their labels."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels = re.match(r"([a-z0-9_]+)(?:\{(.*)\})? \S+$", line).groups()
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
    return found


def promtool() -> str:
    """Its path: installed, or where scripts/deps puts it; empty where there is none."""
    fetched = DOCS.parents[1] / "build/tools/promtool"
    return shutil.which("promtool") or (str(fetched) if os.access(fetched, os.X_OK) else "")


class Metrics(Scene):
    def scrape(self) -> str:
        catalogue = Catalogue(3, 20, 5)
        gate = self.gate(self.upstream(catalogue), posture="standard")
        claims = self.downstream(gate).sync().claims
        wire = self.wire(gate.http_url)
        wire.ask("GET", next(iter(claims.values())).path)
        wire.ask("GET", "/nothing")
        url = f"http://127.0.0.1:{gate.admin_port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.read().decode()

    def test_everything_agrees(self) -> None:
        text = self.scrape()
        there = series(text)
        typed = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.M))
        helped = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.M))
        with self.subTest("each has its type and its meaning, once"):
            self.assertEqual(set(typed), set(helped))
            self.assertEqual(len(re.findall("^# TYPE ", text, re.M)), len(typed))
            for name in there:
                base = re.sub(r"_(bucket|sum|count)$", "", name)
                self.assertIn(name if name in typed else base, typed)
        with self.subTest("docs/monitoring/README.md has the same rows"):
            rows = re.findall(r"^\| `(sallyport_\w+)(?:\{(.*?)\})?` \| (\w+) \| (.*?) \|$",
                              (DOCS / "README.md").read_text(), re.M)
            self.assertEqual({(n, k, h) for n, _, k, h in rows},
                             {(n, typed[n], helped[n]) for n in typed})
            for name, labels, kind, _ in rows:
                real = there.get(name) or there.get(name + "_bucket", set()) - LABELS
                self.assertEqual(set(filter(None, labels.split(","))), real, name)
        with self.subTest("rules and panels ask for what is there"):
            self.ask_for_what_is_there(there)
        with self.subTest("few series"):
            self.assertLess(len(text.splitlines()), 450)  # 50 of a listener, 5 of an upstream
        with self.subTest("a histogram adds up"):
            self.add_up(text)
        if not promtool():
            print("SKIPPED: promtool is not here; scripts/deps --test fetches it")
            return
        self.promtool(["check", "metrics"], text)
        self.promtool(["check", "rules", str(DOCS / "alerts.yml")])
        self.promtool(["test", "rules", str(DOCS / "alerts.test.yml")])

    def test_what_went_wrong_is_counted(self) -> None:
        """By kind, and by nothing that grows."""
        catalogue = Catalogue(5, 20, 5, lies=True)
        gate = self.gate(self.upstream(catalogue))
        self.downstream(gate).sync()
        with socket.create_connection(("127.0.0.1", gate.port), timeout=30) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"400", plain.recv(1000))
        with socket.create_connection(("127.0.0.1", gate.port), timeout=30) as broken:
            broken.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")  # no ClientHello
            self.assertEqual(broken.recv(1000)[:1], b"\x15")  # an alert
        context = ssl.create_default_context()  # it does not trust the gate's authority
        with self.assertRaises(ssl.SSLError), \
                socket.create_connection(("127.0.0.1", gate.port), timeout=30) as raw:
            context.wrap_socket(raw, server_hostname="localhost")
        wire = self.wire(gate.http_url)
        self.assertEqual(wire.ask("GET", catalogue.liars["sha256"].path).status, 502)
        self.assertEqual(wire.ask("POST", "/ClientWebService/client.asmx", {
            "Content-Type": "text/xml", "SOAPAction": '"GetConfig"'}, b"<x/>").status, 403)

        def counted() -> dict[str, int]:
            rows = re.findall(r"^(sallyport_\S+) (\d+)$", gate.admin("/metrics")[1], re.M)
            return {name: int(n) for name, n in rows}
        wanted = {
            'sallyport_tls_handshake_failures_total{side="downstream",reason="plain"}': 1,
            'sallyport_tls_handshake_failures_total{side="downstream",reason="failed"}': 2,
            'sallyport_tls_handshake_failures_total{side="upstream",reason="unproven"}': 0,
            'sallyport_attack_signals_total{rule="file-sha256"}': 1,
            'sallyport_attack_signals_total{rule="file-sha1"}': 0,
            'sallyport_content_verify_total{check="sha256",result="refused"}': 1,
            'sallyport_content_verify_total{check="signature",result="refused"}': 0,
            'sallyport_soap_faults_total{code="InvalidCookie"}': 0,
            'sallyport_requests_total{listener="downstream-http",service="content",code_class="5xx"}': 1,
            'sallyport_requests_total{listener="downstream-http",service="client",code_class="4xx"}': 1,
            'sallyport_requests_total{listener="downstream",service="server-sync",code_class="2xx"}': 1,
            'sallyport_requests_total{listener="downstream",service="content",code_class="2xx"}': 0,
            'sallyport_upstream_requests_total{upstream="head-office",result="ok"}': 1,
            'sallyport_plain_http_requests_total{mode="enforce",action="refused"}': 1,
            "sallyport_quarantine_objects": 1}
        wait_until(f"that all is counted: {wanted}", lambda: all(
            counted().get(name, -1) >= least for name, least in wanted.items()), 40)
        self.assertGreater(counted()['sallyport_pin_expiry_timestamp_seconds{upstream="head-office"}'],
                           time.time())
        self.assertGreater(sum(n for name, n in counted().items() if "soap_faults" in name), 0)
        matched = 'sallyport_pin_checks_total{upstream="head-office",result="matched"}'
        before = counted()[matched]
        self.assertGreater(before, 0)
        gate.signal(signal.SIGHUP)
        wait_until("reloaded", lambda: any(e["event"] == "reloaded" for e in gate.log()))
        self.assertGreaterEqual(counted()[matched], before)
        for other in ("unmatched", "untrusted"):
            self.assertEqual(counted()[matched.replace("matched", other)], 0)

    def ask_for_what_is_there(self, there: dict[str, set[str]]) -> None:
        board = json.loads((DOCS / "dashboard.json").read_text())
        asked = [t["expr"] for p in board["panels"] for t in p["targets"]]
        self.assertGreater(len(asked), 10)
        asked += re.findall(r"^ +expr: (.*)$", (DOCS / "alerts.yml").read_text(), re.M)
        for expr in asked:
            names = re.findall(NAME, expr)
            if not names:
                self.assertIn("up{", expr)
            known = set(LABELS)
            for name in names:
                self.assertIn(name, there, expr)
                known |= there[name]
            used = set(re.findall(r'(\w+)=~?"', expr))
            used |= {x.strip() for by in re.findall(r"by \((.*?)\)", expr) for x in by.split(",")}
            self.assertLessEqual(used, known, expr)
        for text in re.findall(r"\$labels\.(\w+)", (DOCS / "alerts.yml").read_text()):
            self.assertTrue(text in LABELS or any(text in v for v in there.values()), text)

    def add_up(self, text: str) -> None:
        for what in ("metadata", "content"):
            rows = re.findall(rf'_seconds_bucket{{what="{what}",le="(\S+)"}} (\d+)', text)
            counts = [int(n) for _, n in rows]
            self.assertEqual(counts, sorted(counts))
            self.assertEqual(rows[-1][0], "+Inf")
            self.assertGreater(counts[-1], 0)
            self.assertIn(f'_seconds_count{{what="{what}"}} {counts[-1]}\n', text)

    def promtool(self, args: list[str], text: str = "") -> None:
        done = subprocess.run([promtool(), *args], input=text, capture_output=True, text=True,
                              check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
