"""Who is who: upstreams that cannot prove themselves, and askers that must."""
import socket
import ssl
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
import soap
from httpd import Reply, Server, server_context
from scene import Scene
from wsus_upstream import Upstream

BODY = soap.request("GetAuthConfig", soap.S, "")
# certificate of the stand-in -> what the fault must say
HOSTILE = {
    "wrong-name": "name|localhost", "expired": "expired", "not-yet-valid": "not valid yet",
    "no-san": "name|localhost", "client-auth": "purpose|usage", "any-eku": "purpose|usage",
    "sha1": "weak|digest|SHA-?1|md", "rsa-1024": "weak|small|1024|key",
    "explicit-ec": "explicit|curve|parameters", "wildcard": "name|localhost",
    "other-ca": "issuer|signature|trust|CA", "self-signed": "self|issuer|trust|CA",
    "self-signed-same-key": "self|issuer|trust|CA", "leaf-as-ca": "CA|issuer",
    "name-constraint": "permitted|constraint", "expired-intermediate": "expired",
    "inspection": "inspect",
}


class UnprovenUpstream(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(61, 30, 3, big=0)

    def assert_unproven(self, upstream: Upstream, gate, pattern: str) -> None:
        """The asker is told why; not one application byte reached the peer."""
        server = self.downstream(gate)
        fault = self.assert_fault(server.authorize, f"(?i){pattern}")
        self.assertIn("head-office", fault.message)
        self.assertGreater(len(upstream.tls.connections), 0, "nobody came at all")
        self.assertEqual(upstream.app_bytes(), 0)
        self.assertGreater(sum(gate.metric("sallyport_upstream_requests_total", upstream="head-office",
                                           result=result) for result in ("unproven", "failed")), 0)

    def test_hostile_certificates(self) -> None:
        """The key is pinned each time, so that only the certificate is wrong."""
        for name, pattern in HOSTILE.items():
            with self.subTest(name):
                with Upstream(self.catalogue, *self.pki.pair(f"hostile/{name}")) as upstream:
                    pins = [self.pki.hostile_pins[name], self.pki.pins["spare"]]
                    gate = self.gate(upstream, pins=pins)
                    self.assert_unproven(upstream, gate, pattern)
                    gate.stop()

    def test_the_right_neighbour_passes(self) -> None:
        upstream = self.upstream(self.catalogue, certificate="hostile/neighbour")
        gate = self.gate(upstream, pins=[self.pki.hostile_pins["neighbour"],
                                         self.pki.pins["spare"]])
        self.assert_synced(self.catalogue, self.downstream(gate).sync())

    def test_each_key_of_the_chain_can_be_pinned(self) -> None:
        upstream = self.upstream(self.catalogue)
        for name in ("upstream", "intermediate", "root"):
            with self.subTest(name):
                gate = self.gate(upstream, pins=[self.pki.pins["spare"], self.pki.pins[name]])
                self.downstream(gate).authorize()
                gate.stop()

    def test_wrong_pin(self) -> None:
        upstream = self.upstream(self.catalogue)
        gate = self.gate(upstream, pins=[self.pki.pins["client"], self.pki.pins["spare"]])
        self.assert_unproven(upstream, gate, "pin")
        log = gate.log_text()
        self.assertIn(self.pki.pins["upstream"].removeprefix("sha256//"), log,
                      "the log tells which key came")

    def test_pin_of_a_certificate_that_is_only_shown(self) -> None:
        """other-ca shows certificates with the names of the right chain; pins of the right
        chain do not help it."""
        with Upstream(self.catalogue, *self.pki.pair("hostile/other-ca")) as upstream:
            self.assert_unproven(upstream, self.gate(upstream), "issuer|signature|trust|CA")

    def test_other_ca_file(self) -> None:
        upstream = self.upstream(self.catalogue)
        gate = self.gate(upstream, ca=self.pki.file("client-ca.pem"))
        self.assert_unproven(upstream, gate, "issuer|trust|CA")

    def test_old_tls(self) -> None:
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(old.name):
                context = server_context(*self.pki.pair("upstream"), oldest=old, newest=old)
                upstream = self.upstream(self.catalogue, context=context)
                self.assert_unproven(upstream, self.gate(upstream), "TLS|protocol|version")

    def test_tls12_passes(self) -> None:
        new = ssl.TLSVersion.TLSv1_2
        context = server_context(*self.pki.pair("upstream"), oldest=new, newest=new)
        upstream = self.upstream(self.catalogue, context=context)
        self.assert_synced(self.catalogue, self.downstream(self.gate(upstream)).sync())

    def test_upstream_that_speaks_plain_http(self) -> None:
        upstream = Server(lambda _request: Reply(200))
        self.addCleanup(upstream.close)
        gate = self.gate(f"https://localhost:{upstream.port}")
        self.assert_fault(self.downstream(gate).authorize, "head-office")
        self.assertEqual(upstream.requests(), [])

    def test_nobody_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        gate = self.gate(f"https://localhost:{port}")
        self.assert_fault(self.downstream(gate).authorize, "head-office")

    def test_the_environment_has_no_say(self) -> None:
        """Proxies, trust stores, key logs and OpenSSL's own configuration are not looked at."""
        decoy = Server(lambda _request: Reply(200))
        self.addCleanup(decoy.close)
        with tempfile.TemporaryDirectory() as work:
            keys, broken = Path(work, "keys"), Path(work, "openssl.cnf")
            broken.write_text("openssl_conf = x\n[x]\nengines = e\n[e]\nfoo = f\n[f]\n"
                              "dynamic_path = /nonexistent.so\ninit = 1\n")
            proxy = f"http://127.0.0.1:{decoy.port}"
            env = {n: proxy for n in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY",
                                      "ALL_PROXY", "HTTP_PROXY")}
            env |= {"SSL_CERT_FILE": self.pki.file("client-ca.pem"), "SSL_CERT_DIR": work,
                    "CURL_CA_BUNDLE": self.pki.file("client-ca.pem"), "SSLKEYLOGFILE": str(keys),
                    "OPENSSL_CONF": str(broken), "NETRC": str(broken)}
            upstream = self.upstream(self.catalogue)
            server = self.downstream(self.gate(upstream, env=env))
            self.assert_synced(self.catalogue, server.sync())
            for claim in server.synced.claims.values():
                server.download(claim)
            self.assertFalse(keys.exists())
        self.assertEqual(decoy.connections, [])


class Askers(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(62, 30, 3, big=0)

    def client(self, **bounds: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.pki.ca)
        if bounds:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = bounds.get("oldest", ssl.TLSVersion.TLSv1)
            context.maximum_version = bounds["newest"]
        return context

    def shake(self, gate, context: ssl.SSLContext) -> ssl.SSLSocket:
        sock = socket.create_connection(("127.0.0.1", gate.port), 10)
        try:
            return context.wrap_socket(sock, server_hostname="localhost")
        except BaseException:
            sock.close()
            raise

    def test_versions_and_alpn(self) -> None:
        gate = self.gate(self.upstream(self.catalogue))
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                              (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = self.client(oldest=version, newest=version)
            context.set_alpn_protocols(["h2", "http/1.1"])
            with self.shake(gate, context) as sock:
                self.assertEqual(sock.version(), name)
                self.assertEqual(sock.selected_alpn_protocol(), "http/1.1")
                self.assertIsNone(sock.compression())
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaises((ssl.SSLError, OSError)):
                self.shake(gate, self.client(newest=version)).close()

    def test_weak_suites(self) -> None:
        gate = self.gate(self.upstream(self.catalogue))
        for suites in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
            context = self.client(newest=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(f"{suites}:@SECLEVEL=0")
            with self.assertRaises((ssl.SSLError, OSError), msg=suites):
                self.shake(gate, context).close()

    def test_client_certificates(self) -> None:
        upstream = self.upstream(self.catalogue)
        gate = self.gate(upstream, client_ca=self.pki.file("client-ca.pem"))
        for pair in (None, self.pki.pair("upstream")):
            with self.assertRaises(OSError):
                self.downstream(gate, pair=pair).authorize()
        self.assertEqual(upstream.requests(), [])
        server = self.downstream(gate, pair=self.pki.pair("client"))
        self.assert_synced(self.catalogue, server.sync())

    def test_allow_list(self) -> None:
        upstream = self.upstream(self.catalogue)
        gate = self.gate(upstream, allow=["10.0.0.0/8", "192.0.2.0/24"])
        with self.assertRaises(OSError):
            self.downstream(gate).authorize()
        self.assertEqual(upstream.requests(), [])


if __name__ == "__main__":
    unittest.main()
