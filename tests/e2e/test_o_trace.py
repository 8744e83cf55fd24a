"""traceparent goes to the upstream as it came, and into the log; nothing else that a collector could
be told does, and what is none goes nowhere. A listener for both families serves both."""
import socket
import unittest

import harness  # noqa: F401

import soap
from catalogue import Catalogue
from gate import wait_until
from scene import Scene, raw

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NONE = ("00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", GOOD + "-x", GOOD.upper())


class Trace(Scene):
    def setUp(self) -> None:
        self.up = self.upstream(Catalogue(5, 10, 2))

    def test_it_goes_on(self) -> None:
        gate = self.gate(self.up)
        wire = self.wire(gate.url)
        envelope = soap.request("GetAuthConfig", soap.S, "")
        for sent in (GOOD, *NONE):
            seen = len(self.up.requests())
            answer = wire.ask("POST", soap.SERVER_SYNC, {
                "Content-Type": soap.CONTENT_TYPE, "SOAPAction": f'"{soap.S}/GetAuthConfig"',
                "traceparent": sent, "tracestate": "vendor=1", "baggage": "user=1"}, envelope)
            self.assertEqual(answer.status, 200, answer.body)
            got = self.up.requests()[seen]
            self.assertEqual(got.header("traceparent"), GOOD if sent == GOOD else "")
            self.assertEqual(got.header("tracestate") + got.header("baggage"), "")
        wait_until("the log", lambda: any(e.get("traceparent") == GOOD for e in gate.log()))
        self.assertEqual(sum("traceparent" in e for e in gate.log()), 1)

    def test_both_families(self) -> None:
        """An allow list sees IPv4 as IPv4; and the socket is handed on like any other."""
        if not socket.has_dualstack_ipv6():
            self.skipTest("SKIPPED: this machine has no IPv6")
        gate = self.gate(self.up)
        gate.stop()
        text = gate.config_text().replace(f'bind = "127.0.0.1:{gate.http_port}"',
                                          f'bind = "*:{gate.http_port}" allow = {{ %s }}')
        ask = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for allow, v4, v6 in (('"127.0.0.0/8", "::1/128"', True, True),
                              ('"127.0.0.0/8"', True, False), ('"::1/128"', False, True)):
            gate.config.write_text(text.replace("%s", allow))
            gate.restart()
            self.assertEqual(bool(raw(gate.http_port, ask, wait=1.0)), v4, allow)
            with socket.create_connection(("::1", gate.http_port), 5) as sock:
                try:
                    sock.sendall(ask)
                    got = sock.recv(100)
                except ConnectionError:
                    got = b""
            self.assertEqual(got.startswith(b"HTTP/1.1 404 "), v6, allow)


if __name__ == "__main__":
    unittest.main()
