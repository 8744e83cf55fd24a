"""`sallyport doctor`: each finding beside the neighbour that is none, outside and inside."""
import datetime
import json
import ssl
import threading
import unittest
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from gate import free_ports, run
from scene import Scene

PASSED, FINDINGS, USAGE = 0, 1, 64
METADATA = "/ServerSyncWebService/ServerSyncWebService.asmx"


class Tier:
    """A WSUS tier as the doctor sees it: a TLS port, and below it what plain says by path."""

    def __init__(self, pki, plain: dict[str, int], certificate: str = "upstream",
                 fields: dict[str, str] | None = None, context: ssl.SSLContext | None = None):
        self.port = free_ports(2) + 1

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response_only(plain.get(self.path, plain.get("*", 403)))
                sent = {"Date": self.date_time_string(), "Content-Length": "0", **(fields or {})}
                for name, value in sent.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass  # the doctor leaves handshakes half done

        self.servers = [Server(("127.0.0.1", self.port - 1), Handler),
                        Server(("127.0.0.1", self.port), Handler)]
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*pki.pair(certificate))
        self.servers[1].socket = context.wrap_socket(self.servers[1].socket, server_side=True,
                                                     do_handshake_on_connect=False)
        for server in self.servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()


class Doctor(Scene):
    def tier(self, plain: dict[str, int], **options) -> Tier:
        tier = Tier(self.pki, plain, **options)
        self.addCleanup(tier.close)
        return tier

    def doctor(self, *words: str) -> tuple[int, dict[str, dict]]:
        done = run("doctor", *words, "--json")
        self.assertEqual(done.stderr, "")
        report = json.loads(done.stdout)
        self.assertGreater(report["looked_at"], 0)
        for finding in report["findings"]:
            for key in ("what", "why", "mend"):
                self.assertTrue(finding[key], finding)
        return done.returncode, {f["code"]: f for f in report["findings"]}

    def outside(self, tier: Tier) -> tuple[int, dict[str, dict]]:
        return self.doctor(f"https://localhost:{tier.port}", "--ca", str(self.pki.ca))

    def test_a_tier_that_is_well(self) -> None:
        self.assertEqual(self.outside(self.tier({"/Content/": 403})), (PASSED, {}))

    def test_metadata_without_tls(self) -> None:
        for status, found in ((200, True), (401, True), (500, True), (403, False), (404, False),
                              (302, False)):
            with self.subTest(status):
                code, findings = self.outside(self.tier({METADATA: status}))
                self.assertEqual("plain-metadata" in findings, found, findings)
                self.assertEqual(code, FINDINGS if found else PASSED)
        code, findings = self.outside(self.tier({"/ApiRemoting30/WebService.asmx": 200}))
        self.assertEqual((code, list(findings)), (FINDINGS, ["api-remoting"]))

    def test_chain_name_and_dates(self) -> None:
        tier = self.tier({}, certificate="sallyport")
        self.assertEqual(self.outside(tier)[0], PASSED, "any server certificate of that CA")
        self.assertEqual(set(self.doctor(f"localhost:{tier.port}")[1]), {"chain-unchecked"})
        for name, found in (("neighbour", set()), ("wrong-name", {"name", "chain"}),
                            ("expired", {"expired", "chain"}), ("inspection", {"chain"})):
            with self.subTest(name):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.hostile_pair(name))
                findings = set(self.outside(self.tier({}, context=context))[1])
                self.assertEqual(findings - {"intercepted"}, found)
                self.assertEqual("intercepted" in findings, name == "inspection")

    def hostile_pair(self, name: str) -> tuple[str, str]:
        base = Path(self.pki.ca).parent / "hostile" / name
        return f"{base}.pem", f"{base}.key"

    def test_old_tls(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pki.pair("upstream"))
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1_1
        self.assertIn("tls-old", self.outside(self.tier({}, context=context))[1])

    def test_clock_and_proxies(self) -> None:
        wrong = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=400)
        date = {"Date": wrong.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        self.assertEqual(set(self.outside(self.tier({}, fields=date))[1]), {"clock"})
        via = {"Via": "1.1 squid"}
        code, findings = self.outside(self.tier({}, fields=via))
        self.assertEqual((code, set(findings)), (PASSED, {"proxy"}))

    def test_nobody_there(self) -> None:
        code, findings = self.doctor(f"localhost:{free_ports(2) + 1}")
        self.assertEqual((code, set(findings)), (FINDINGS, {"tls-unreached", "content-unreached"}))

    def test_inside(self) -> None:
        up = self.upstream(Catalogue(51, 20, 2))
        gate = self.gate(up)
        self.assertEqual(self.doctor("-c", str(gate.config)), (PASSED, {}))
        gate.write_config(plain_http="observe")
        self.assertEqual(set(self.doctor("-c", str(gate.config))[1]), {"plain-passes"})
        gate.write_config(plain_http="enforce")
        gate.state_dir.chmod(0o755)
        self.assertEqual(set(self.doctor("-c", str(gate.config))[1]), {"state-open"})
        gate.state_dir.chmod(0o700)
        gate.stop()
        self.assertEqual(set(self.doctor("-c", str(gate.config))[1]), {"no-daemon"})
        gate.config.write_text("stat_dir = \"x\"\n")
        self.assertEqual(set(self.doctor("-c", str(gate.config))[1]), {"config"})

    def test_for_people(self) -> None:
        done = run("doctor", f"localhost:{self.tier({METADATA: 200}).port}")
        self.assertEqual(done.returncode, FINDINGS)
        self.assertRegex(done.stdout, r"bad      plain-metadata: http://localhost:\d+/ServerSync")
        self.assertIn("-> Require TLS for this root", done.stdout)
        self.assertEqual(run("doctor", "a", "b").returncode, USAGE)
        self.assertEqual(run("doctor", "a:b").returncode, USAGE)


if __name__ == "__main__":
    unittest.main()
