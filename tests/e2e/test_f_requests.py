"""Who asks, and how, judged by the policy: plain HTTP in three steps, networks and certificates of
one service, the name of the TLS handshake; and the commands that explain a policy."""
import re
import ssl
import socket
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
import soap
import tlog
from agent import Agent
from downstream import Downstream
from gate import run, wait_until
from pki import SOURCE
from scene import Scene, exchange, statuses

FORBIDDEN, NOT_MAPPED = "0x80244018", "0x8024402B"
CONFIG = soap.client_request("GetConfig", soap.C, "<protocolVersion>2.90</protocolVersion>")


class Requests(Scene):
    def setUp(self) -> None:
        self.catalogue = catalogue.Catalogue(5, 12, 3, big=0)
        self.up = self.upstream(self.catalogue)
        folder = tempfile.TemporaryDirectory(prefix="sallyport-policy-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def policy(self, *lines: str, **modes: str) -> str:
        """strict-2026 with other modes of some rules, and more lines."""
        text = (SOURCE / "policies" / "strict-2026.policy").read_text()
        for rule, mode in modes.items():
            rule = rule.replace("_", "-")
            text, count = re.subn(rf"^{rule}\s+\w+", f"{rule} {mode}", text, flags=re.MULTILINE)
            self.assertEqual(count, 1, rule)
        path = self.folder / f"{len(list(self.folder.iterdir()))}.policy"
        path.write_text(text.replace("policy strict-2026", "policy own") + "\n".join(lines) + "\n")
        return str(path)

    def plain(self, gate, source: str = "") -> Downstream:
        server = Downstream(gate.http_url, content=gate.http_url)
        self.addCleanup(server.close)
        return server

    def rows(self, gate, rule: str) -> list[dict]:
        return [r for r in gate.status()["would_refuse"] if r["rule"] == rule]

    def counted(self, gate, rule: str, times: int) -> dict:
        """Its one row; the last request is counted behind its answer."""
        wait_until(f"{rule} {times} times",
                   lambda: [r["count"] for r in self.rows(gate, rule)] == [times])
        return self.rows(gate, rule)[0]

    def ledger(self, gate) -> str:
        gate.stop()
        return gate.command("ledger", "list").stdout

    # ---- plain HTTP in three steps ---------------------------------------------------

    def step(self, mode: str):
        gate = self.gate(self.up, plain_http="policy", policy=self.policy(transport_tls=mode))
        self.assertEqual([r["plain_http"] for r in gate.status()["listeners"]], ["-", mode])
        return gate

    def test_observe(self) -> None:
        gate = self.step("observe")
        server = self.plain(gate)
        self.assert_synced(self.catalogue, server.sync())
        row = self.counted(gate, "transport-tls", server.synced.calls)
        self.assertEqual((row["mode"], row["peer"]), ("observe", "127.0.0.1"))
        self.assertRegex(gate.command("status").stdout,
                         r"transport-tls +observe +127\.0\.0\.1 +\d+ times")
        self.assertFalse([e for e in gate.log() if "transport-tls" in e.get("would_refuse", "")])
        gate.stop()
        entries = [gate.command("ledger", "show", str(n)).stdout for n in range(3)]
        self.assertTrue(any(re.search(r"verdict\.observed +transport-tls", e) for e in entries),
                        entries)
        judged = gate.command("judge", "--policy", self.policy(transport_tls="enforce"),
                              "--by", "rule")
        self.assertRegex(judged.stdout, r"transport-tls +enforce +[1-9]\d* +[1-9]\d*")

    def test_audit(self) -> None:
        gate = self.step("audit")
        server = self.plain(gate)
        self.assert_synced(self.catalogue, server.sync())
        row = self.counted(gate, "transport-tls", server.synced.calls)
        self.assertEqual(row["mode"], "audit")
        gate.stop()
        warned = [e for e in gate.log() if "transport-tls" in e.get("would_refuse", "")]
        self.assertEqual(len(warned), server.synced.calls)
        self.assertEqual({(e["level"], e["peer"], e["transport"]) for e in warned},
                         {("warning", "127.0.0.1", "http")})

    def test_enforce(self) -> None:
        gate = self.step("enforce")
        fault = self.assert_fault(self.plain(gate).authorize, "plain HTTP is refused.*"
                                  f"transport-tls.*{gate.port}.*{FORBIDDEN}", status=403)
        self.assertEqual(fault.code, "InternalServerError")
        self.assertEqual(self.up.requests(), [])
        self.assertEqual(self.rows(gate, "transport-tls"), [])
        wait_until("the log says so", lambda: any(
            e.get("rule") == "transport-tls" and e["status"] == 403 for e in gate.log()))
        self.assert_synced(self.catalogue, self.downstream(gate).sync())

    def test_one_service_at_one_listener(self) -> None:
        gate = self.gate(self.up, plain_http="policy", policy=self.policy(
            "at client@downstream-http transport-tls observe",
            "at simple-auth@downstream-http transport-tls observe",
            "at @elsewhere transport-tls observe"))
        agent = Agent(gate.http_url, content=gate.http_url)
        self.addCleanup(agent.close)
        agent.register()
        self.assert_fault(self.plain(gate).authorize, "transport-tls", status=403)

    def test_a_silent_policy_lets_no_plain_http_through(self) -> None:
        path = self.folder / "silent.policy"
        path.write_text("policy silent\nupstream-pinned enforce\nreply-wellformed enforce\n")
        gate = self.gate(self.up, plain_http="policy", policy=str(path))
        self.assert_fault(self.plain(gate).authorize, "transport-tls", status=403)
        self.assertEqual(self.up.requests(), [])

    def test_the_listener_has_the_last_word(self) -> None:
        gate = self.gate(self.up, plain_http="observe", policy=self.policy())
        self.plain(gate).authorize()
        self.assertEqual(self.rows(gate, "transport-tls")[0]["mode"], "observe")

    # ---- who -------------------------------------------------------------------------

    def config(self, wire, path: str = "/ClientWebService/client.asmx"):
        return wire.post(path, f"{soap.C}/GetConfig", CONFIG)

    def test_networks_of_one_service(self) -> None:
        gate = self.gate(self.up, policy=self.policy("peer server-sync network 127.0.0.1/32",
                                                     "peer dss-auth network 127.0.0.1/32"))
        guest = self.wire(gate.url, source="127.0.0.2")
        answer = guest.post(soap.SERVER_SYNC, f"{soap.S}/GetAuthConfig",
                            soap.request("GetAuthConfig", soap.S, ""))
        self.assertEqual(answer.status, 403)
        fault = soap.fault_of(403, answer.body)
        self.assertRegex(fault.message, f"peer-network.*127.0.0.2.*server-sync.*{FORBIDDEN}")
        self.assertEqual(self.up.requests(), [])
        self.assertEqual(self.config(guest).status, 200)
        self.assert_synced(self.catalogue, self.downstream(gate).sync())

    def test_networks_are_observed_first(self) -> None:
        gate = self.gate(self.up, policy=self.policy("peer any network 10.0.0.0/8",
                                                     peer_network="audit"))
        server = self.downstream(gate)
        self.assert_synced(self.catalogue, server.sync())
        server.download(next(iter(server.synced.claims.values())))
        wait_until("content counts as well", lambda: self.rows(gate, "peer-network")[0]["count"]
                   > server.synced.calls)

    def test_networks_of_content(self) -> None:
        gate = self.gate(self.up, policy=self.policy("peer content network 10.0.0.0/8"))
        server = self.downstream(gate)
        claim = next(iter(server.sync().claims.values()))
        answer = self.wire(gate.url).ask("GET", claim.path)
        self.assertEqual(answer.status, 403)
        self.assertRegex(answer.body.decode(), f"peer-network.*content.*{FORBIDDEN}")

    def ledger_gate(self, *lines: str, **settings):
        return self.gate(self.up, listener_more='custody = "on"\ntlog_witness = "on"\n',
                         cosigns=[tlog.verifier_key("example.net/other", bytes(32))],
                         policy=self.policy(*lines, **settings))

    def test_networks_of_the_ledger(self) -> None:
        """custody and witness are services: each is asked from where its line says."""
        gate = self.ledger_gate("peer custody network 127.0.0.1/32",
                                "peer witness network 127.0.0.2/32")
        inside, outside = (self.wire(gate.url, source=f"127.0.0.{n}") for n in (1, 2))
        good, bad = (w.ask("GET", "/custody/checkpoint") for w in (inside, outside))
        self.assertEqual((good.status, bad.status), (200, 403))
        self.assertRegex(bad.body.decode(), "peer-network.*127.0.0.2.*custody")
        head = outside.ask("HEAD", "/custody/checkpoint")
        self.assertEqual((head.status, head.body), (403, b""))
        self.assertEqual(outside.ask("GET", "/custody/key").status, 404)  # no service at all
        self.assertEqual(outside.ask("POST", "/witness/add-checkpoint", body=b"x").status, 400)
        bad = inside.ask("POST", "/witness/add-checkpoint", body=b"x")
        self.assertEqual(bad.status, 403)
        self.assertRegex(bad.body.decode(), "peer-network.*127.0.0.1.*witness")
        self.assertEqual(self.config(self.wire(gate.url, source="127.0.0.2")).status, 200)
        for service, klass, count in (("custody", "2xx", 1), ("custody", "4xx", 3),
                                      ("witness", "4xx", 2), ("witness", "none", 0)):
            self.assertEqual(gate.metric("sallyport_requests_total", listener="downstream",
                                         service=service, code_class=klass), count)

    def test_networks_of_the_ledger_are_observed_first(self) -> None:
        gate = self.ledger_gate("peer any network 10.0.0.0/8", "at custody peer-network audit",
                                peer_network="enforce")
        wire = self.wire(gate.url)
        self.assertEqual(wire.ask("GET", "/custody/checkpoint").status, 200)
        row, = self.rows(gate, "peer-network")
        self.assertEqual((row["mode"], row["operation"], row["count"]), ("audit", "custody", 1))
        self.assertEqual(self.config(wire).status, 403)

    def test_certificates(self) -> None:
        for line in (f"key {self.pki.pins['client']}", "name client.localhost"):
            with self.subTest(line):
                gate = self.gate(self.up, client_ca=self.pki.file("client-ca.pem"),
                                 policy=self.policy(f"peer server-sync {line}"))
                one, two = (self.wire(gate.url, pair=self.pki.pair(name))
                            for name in ("client", "client-two"))
                ask = soap.request("GetAuthConfig", soap.S, "")
                good = one.post(soap.SERVER_SYNC, f"{soap.S}/GetAuthConfig", ask)
                bad = two.post(soap.SERVER_SYNC, f"{soap.S}/GetAuthConfig", ask)
                self.assertEqual((good.status, bad.status), (200, 403))
                self.assertRegex(soap.fault_of(403, bad.body).message, "peer-identity")
                self.assertEqual(self.config(two).status, 200)

    def test_certificates_of_who_reads_the_ledger(self) -> None:
        for line in (f"key {self.pki.pins['client']}", "name client.localhost"):
            with self.subTest(line):
                gate = self.gate(self.up, client_ca=self.pki.file("client-ca.pem"),
                                 listener_more='custody = "on"\n',
                                 policy=self.policy(f"peer custody {line}"))
                for name, status in (("client", 200), ("client-two", 403)):
                    wire = self.wire(gate.url, pair=self.pki.pair(name))
                    self.assertEqual(wire.ask("GET", "/custody/checkpoint").status, status)

    # ---- under which name ------------------------------------------------------------

    def shake(self, gate, sni: str, host: str, **options) -> list[int]:
        return statuses(exchange(self.shaken(gate, sni, **options), self.asking(host)))

    def asking(self, host: str) -> bytes:
        return (f"POST /ClientWebService/client.asmx HTTP/1.1\r\nHost: {host}\r\n"
                "Content-Type: text/xml; charset=utf-8\r\nConnection: close\r\n"
                f'SOAPAction: "{soap.C}/GetConfig"\r\n'
                f"Content-Length: {len(CONFIG)}\r\n\r\n").encode() + CONFIG

    def shaken(self, gate, sni: str, context=None, session=None) -> ssl.SSLSocket:
        context = context or self.context()
        sock = socket.create_connection(("127.0.0.1", gate.port), 10)
        shaken = context.wrap_socket(sock, server_hostname=sni or None, session=session)
        self.addCleanup(shaken.close)
        return shaken

    def context(self, newest=ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.pki.ca)
        context.maximum_version = newest
        return context

    def test_the_name_of_the_handshake(self) -> None:
        gate = self.gate(self.up)
        self.assertEqual(self.shake(gate, "localhost", f"LOCALHOST.:{gate.port}"), [200])
        self.assertEqual(self.shake(gate, "", "wherever.example"), [200])
        for host in ("other.example", "127.0.0.1", "localhost.example", "[::1]"):
            self.assertEqual(self.shake(gate, "localhost", host), [421], host)
        self.assertEqual(len(self.up.requests()), 2)

    def test_a_resumed_session_has_its_name(self) -> None:
        gate = self.gate(self.up)
        context = self.context(ssl.TLSVersion.TLSv1_2)
        first = self.shaken(gate, "localhost", context)
        self.assertEqual(statuses(exchange(first, self.asking("localhost"))), [200])
        again = self.shaken(gate, "localhost", context, first.session)
        self.assertTrue(again.session_reused)
        self.assertEqual(statuses(exchange(again, self.asking("other.example"))), [421])

    def test_names_of_the_listener(self) -> None:
        gate = self.gate(self.up, listener_more='  names = { "localhost", "127.0.0.1" }\n',
                         policy=self.policy(name_agrees="audit"))
        self.assertEqual(self.shake(gate, "localhost", "localhost"), [200])
        self.assertEqual(self.rows(gate, "name-agrees"), [])
        self.assertEqual(self.shake(gate, "127.0.0.1.example", "127.0.0.1"), [200])
        wait_until("it is counted", lambda: self.rows(gate, "name-agrees"))
        wait_until("and warned of", lambda: any(
            e.get("would_refuse") == "name-agrees" for e in gate.log()))

    def test_the_code_for_a_wrong_name(self) -> None:
        gate = self.gate(self.up)
        with self.shaken(gate, "localhost") as sock:
            answer = exchange(sock, self.asking("other.example"))
        self.assertIn(NOT_MAPPED.encode(), answer)


class Commands(unittest.TestCase):
    """policy check, explain, diff: exit codes and sentences."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="sallyport-policy-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def shipped(self, name: str) -> str:
        return str(SOURCE / "policies" / f"{name}.policy")

    def check(self, status: int, *words: str) -> str:
        done = run("policy", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_check(self) -> None:
        for name in ("strict-2026", "branch-2026", "observe-2026"):
            said = self.check(0, "check", self.shipped(name))
            self.assertRegex(said, rf"good: policy {name}, \d+ rules enforced")
            self.assertNotIn("note:", said)
        said = self.check(0, "check", self.write("few", "policy few\nfile-sha1 enforce\n"))
        for subject in ("link", "reply", "revision"):
            self.assertIn(f"note: no rule looks at a {subject}", said)
        self.assertNotIn("at a file", said)
        bad = self.write("bad", "policy bad\n\nfile-sha1 enfroce\n")
        self.assertRegex(self.check(78, "check", bad), r'line 3: .*"enfroce".*"enforce"\?')
        self.assertIn("peer is known by",
                      self.check(78, "check", self.write("p", "policy p\npeer client at x\n")))
        self.check(66, "check", str(self.folder / "none"))
        self.check(64, "check")
        self.check(64, "check", bad, bad)

    def test_explain(self) -> None:
        every = self.check(0, "explain")
        for line in (SOURCE / "src/core/policy/rules.def").read_text().splitlines():
            if row := re.match(r'RULE\(\w+, "([^"]+)", \w+, "([^"]+)"\)', line):
                self.assertIn(f"{row[1]}\n  holds when: {row[2]}\n", every)
        one = self.check(0, "explain", "handler-agrees")
        self.assertRegex(one, r"is about: +one revision\n +actions: +refuse \(usual\), quarantine")
        self.assertEqual(one.count("holds when"), 1)
        self.assertIn('did you mean "handler-agrees"?',
                      self.check(64, "explain", "handler-agree"))

    def test_diff(self) -> None:
        strict, branch = self.shipped("strict-2026"), self.shipped("branch-2026")
        self.assertIn("demand the same", self.check(0, "diff", strict, strict))
        said = self.check(1, "diff", strict, branch)
        self.assertRegex(said, r"sha256-present +enforce withhold -> audit +\(looser\)")
        self.assertEqual(said.count("(looser)"), 8, said)
        self.assertRegex(self.check(1, "diff", branch, strict),
                         r"name-agrees +audit -> enforce refuse +\(stricter\)")
        one = self.write("one", "policy one\ntransport-tls enforce\n"
                         "at client transport-tls observe\npeer client network 10.0.0.0/8\n")
        two = self.write("two", "policy two\ntransport-tls enforce\n"
                         "peer client network 10.1.0.0/16\n")
        said = self.check(1, "diff", one, two)
        self.assertIn("at client transport-tls observe  (gone)", said)
        self.assertIn("peer client network 10.0.0.0/8  (gone)", said)
        self.assertIn("peer client network 10.1.0.0/16  (new)", said)


if __name__ == "__main__":
    unittest.main()
