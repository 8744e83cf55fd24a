"""The admin pages from elsewhere: over TLS, for who shows who he is, to look at and not to touch."""
import base64
import http.client
import signal
import ssl
import unittest

import harness  # noqa: F401

from catalogue import Catalogue
from gate import Gate, free_ports, run, wait_until
from scene import Scene

SECRET, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


class Remote(Scene):
    def open(self, more: str) -> Gate:
        self.port = free_ports(1)
        certificate, key = self.pki.pair("sallyport")
        return self.gate(self.upstream(Catalogue(3, 5, 1)), admin_more=f"""
  remote_bind = "127.0.0.1:{self.port}"
  certificate = "{certificate}"
  key = "{key}"
  {more}""")

    def with_token(self) -> Gate:
        self.token = self.pki.directory / "token"
        self.token.write_text(SECRET + "\n")
        return self.open(f'token_file = "{self.token}"')

    def ask(self, path: str, authorization: str = "", method: str = "GET", pair=None) -> tuple:
        context = ssl.create_default_context(cafile=self.pki.ca)
        if pair:
            context.load_cert_chain(*pair)
        at = http.client.HTTPSConnection("localhost", self.port, timeout=30, context=context)
        try:
            at.request(method, path, headers={"Authorization": authorization} if authorization else {})
            reply = at.getresponse()
            return reply.status, reply.headers, reply.read().decode()
        finally:
            at.close()

    def test_with_a_token(self) -> None:
        gate = self.with_token()
        for shown in ("", "Bearer " + OTHER, "Basic " + base64.b64encode(b"x:" + OTHER.encode()).decode()):
            status, headers, text = self.ask("/status.json", shown)
            self.assertEqual(status, 401)
            self.assertIn("Basic realm=", headers["WWW-Authenticate"])
            self.assertIn("token_file", text)
            self.assertNotIn("ledger", text)
        for shown in ("Bearer " + SECRET,
                      "Basic " + base64.b64encode(b"who:" + SECRET.encode()).decode()):
            for path in ("/", "/metrics", "/status.json", "/health"):
                self.assertEqual(self.ask(path, shown)[0], 200)
        self.assertIn("admin_refused", gate.log_text())
        self.assertEqual(gate.admin("/health")[0], 200)

    def test_nothing_can_be_touched(self) -> None:
        self.with_token()
        for path in ("/lockdown", "/recheck", "/reload", "/"):
            self.assertEqual(self.ask(path, "Bearer " + SECRET, "POST")[0], 405)

    def test_no_plain_http(self) -> None:
        self.with_token()
        at = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.addCleanup(at.close)
        at.request("GET", "/health", headers={"Authorization": "Bearer " + SECRET})
        reply = at.getresponse()
        self.assertEqual((reply.status, b"ok" in reply.read()), (400, False))

    def test_another_token_after_a_reload(self) -> None:
        gate = self.with_token()
        self.token.write_text(OTHER)
        self.assertEqual(self.ask("/health", "Bearer " + SECRET)[0], 200)
        gate.signal(signal.SIGHUP)
        wait_until("the other token", lambda: self.ask("/health", "Bearer " + OTHER)[0] == 200)
        self.assertEqual(self.ask("/health", "Bearer " + SECRET)[0], 401)
        self.token.write_text("short")
        gate.signal(signal.SIGHUP)
        wait_until("the refusal", lambda: "reload_refused" in gate.log_text())
        self.assertIn("20 to 512", gate.log_text())
        self.assertEqual(self.ask("/health", "Bearer " + OTHER)[0], 200)

    def test_with_a_client_certificate(self) -> None:
        authority = self.pki.file("client-ca.pem")
        self.open(f'client_ca = "{authority}"')
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask("/health")
        self.assertEqual(self.ask("/health", pair=self.pki.pair("client"))[0], 200)

    def test_a_wrong_token_file_does_not_start(self) -> None:
        gate = self.with_token()
        for text in ("x" * 19, "x" * 513, "two words of twenty characters"):
            self.token.write_text(text)
            done = run("config", "check", "-c", str(gate.config))
            self.assertEqual(done.returncode, 78)
            self.assertIn("openssl rand -hex 32", done.stderr)
        for text in ("x" * 20, "x" * 512):
            self.token.write_text(text)
            self.assertEqual(run("config", "check", "-c", str(gate.config)).returncode, 0)


if __name__ == "__main__":
    unittest.main()
