"""Cookies leave sealed for one asker and come back from nobody else."""
import base64
import re
import shutil
import stat
import time
import unittest

import harness  # noqa: F401

import catalogue
import soap
from agent import Agent
from downstream import Downstream
from gate import Gate
from scene import Scene
from wire import Wire

COOKIE = re.compile(r"<EncryptedData>([^<]*)</EncryptedData>")
SHORT = ("InvalidCookie",)


def other(cookie: str, data: bytes) -> str:
    return COOKIE.sub(f"<EncryptedData>{base64.b64encode(data).decode()}</EncryptedData>", cookie)


def data_of(cookie: str) -> bytes:
    return base64.b64decode(COOKIE.search(cookie)[1])


class Cookies(Scene):
    def setUp(self) -> None:
        self.up = self.upstream(catalogue.Catalogue(7, 12, 3, big=0))

    def registered(self, gate: Gate) -> Agent:
        agent = self.agent(gate)
        agent.register()
        return agent

    def scan(self, wire: Wire, cookie: str) -> None:
        wire.call(soap.CLIENT, "SyncUpdates", soap.client_request("SyncUpdates", soap.C, (
            f"{cookie}<parameters><ExpressQuery>false</ExpressQuery><SkipSoftwareSync>false"
            "</SkipSoftwareSync></parameters>")))

    def assert_kept_out(self, call, codes=SHORT) -> None:
        """A fault on which a client starts over; the upstream hears nothing."""
        before = len(self.up.requests())
        self.assert_fault(call, "[cC]ookie", codes)
        self.assertEqual(len(self.up.requests()), before, "it reached the upstream")

    def test_the_upstreams_cookies_are_seen_by_nobody(self) -> None:
        agent = self.registered(self.gate(self.up))
        server = self.downstream(Gate.start(self._another()))
        server.authorize()
        for cookie in (agent.cookie, server.cookie):
            sealed = data_of(cookie)
            for secret in self.up.cookies:
                self.assertNotIn(base64.b64decode(secret)[:16], sealed)
        agent.scan()
        server.config()

    def _another(self) -> Gate:
        gate = Gate(self.up.url, self.pki)
        self.addCleanup(gate.close)
        return gate

    def test_what_was_not_sealed_here_is_kept_out(self) -> None:
        gate = self.gate(self.up)
        agent = self.registered(gate)
        wire = self.wire(gate.url)
        for cookie in (self.up.issue("client"), "", "AAEC",
                       base64.b64encode(bytes(400)).decode()):
            inner = f"<cookie><EncryptedData>{cookie}</EncryptedData></cookie>"
            with self.subTest(cookie=cookie[:20]):
                self.assert_kept_out(lambda c=inner: self.scan(wire, c))
        self.scan(wire, agent.cookie)

    def test_changed_bits(self) -> None:
        gate = self.gate(self.up)
        agent, wire = self.registered(gate), self.wire(gate.url)
        good = data_of(agent.cookie)
        for at in (0, 1, 5, 13, 25, len(good) - 17, len(good) - 1):
            bad = bytearray(good)
            bad[at] ^= 4
            with self.subTest(at=at):
                self.assert_kept_out(lambda b=bytes(bad): self.scan(wire, other(agent.cookie, b)))
        self.assert_kept_out(lambda: self.scan(wire, other(agent.cookie, good[:-1])))
        self.assert_kept_out(lambda: self.scan(wire, other(agent.cookie, good + b"\0")))
        self.scan(wire, agent.cookie)

    def test_another_address(self) -> None:
        gate = self.gate(self.up)
        agent = self.registered(gate)
        thief = self.wire(gate.url, source="127.0.0.2")
        self.assert_kept_out(lambda: self.scan(thief, agent.cookie))
        self.scan(self.wire(gate.url), agent.cookie)

    def test_another_certificate(self) -> None:
        gate = self.gate(self.up, client_ca=self.pki.file("client-ca.pem"))
        server = Downstream(gate.url, self.pki.ca, pair=self.pki.pair("client"))
        thief = Downstream(gate.url, self.pki.ca, pair=self.pki.pair("client-two"))
        for each in (server, thief):
            self.addCleanup(each.close)
        server.authorize()
        thief.cookie = server.cookie
        self.assert_kept_out(thief.config)
        moved = Wire(gate.url, self.pki.ca, self.pki.pair("client"), source="127.0.0.3")
        with moved:  # the key is who it is, wherever it comes from
            moved.call(soap.SERVER_SYNC, "GetConfigData",
                       soap.request("GetConfigData", soap.S, server.cookie))

    def test_another_service(self) -> None:
        gate = self.gate(self.up)
        agent, server = self.registered(gate), self.downstream(gate)
        server.authorize()
        mine = server.cookie
        server.cookie = agent.cookie
        self.assert_kept_out(server.config)
        self.assert_kept_out(lambda: self.scan(self.wire(gate.url), mine))
        server.cookie = mine
        server.config()

    def test_another_upstream(self) -> None:
        """The same keys, so that nothing but the name of the upstream differs."""
        first = self.gate(self.up)
        agent = self.registered(first)
        second = Gate(self.up.url, self.pki, upstream_name="elsewhere")
        self.addCleanup(second.close)
        shutil.copy(first.state_dir / "cookie-keys", second.state_dir / "cookie-keys")
        second.start()
        self.assert_kept_out(lambda: self.scan(self.wire(second.url), agent.cookie))
        third = self.gate(self.up)
        third.stop()
        shutil.copy(first.state_dir / "cookie-keys", third.state_dir / "cookie-keys")
        third.start()
        self.scan(self.wire(third.url), agent.cookie)

    def test_age(self) -> None:
        gate = self.gate(self.up, cookie_age=1)
        agent, server = self.registered(gate), self.downstream(gate)
        server.authorize()
        time.sleep(2.1)
        self.assert_kept_out(lambda: self.scan(self.wire(gate.url), agent.cookie),
                             ("CookieExpired",))
        self.assert_kept_out(server.config)

    def test_a_restart_keeps_sessions(self) -> None:
        gate = self.gate(self.up)
        agent = self.registered(gate)
        keys = gate.state_dir / "cookie-keys"
        self.assertEqual(stat.S_IMODE(keys.stat().st_mode), 0o600)
        gate.restart()
        self.scan(self.wire(gate.url), agent.cookie)
        gate.stop()
        keys.unlink()
        gate.start()
        self.assert_kept_out(lambda: self.scan(self.wire(gate.url), agent.cookie))

    def test_keys_that_cannot_be_read_stop_the_start(self) -> None:
        gate = Gate(self.up.url, self.pki)
        self.addCleanup(gate.close)
        (gate.state_dir / "cookie-keys").write_text("sallyport cookie keys 1\nx\n")
        with self.assertRaisesRegex(AssertionError, "cookie-keys.*move it away"):
            gate.start()

    def test_relayed(self) -> None:
        gate = self.gate(self.up, cookies="relayed")
        agent = self.registered(gate)
        self.assertIn(COOKIE.search(agent.cookie)[1], self.up.cookies)
        agent.scan()


if __name__ == "__main__":
    unittest.main()
