"""A listener that has names speaks for them alone; one that has none takes any Host."""
import unittest

import harness  # noqa: F401

import catalogue
import soap
from scene import Scene, raw, statuses

NAMED = '  names = { "localhost", "127.0.0.1" }\n'


class Names(Scene):
    def setUp(self) -> None:
        self.up = self.upstream(catalogue.Catalogue(5, 20, 3, big=0))

    def ask(self, door, host: str, plain: bool = False, method: str = "POST") -> list[int]:
        body = (soap.client_request("GetConfig", soap.C, "<protocolVersion>2.90</protocolVersion>")
                if method == "POST" else b"")
        head = (f"{method} /ClientWebService/client.asmx HTTP/1.1\r\nHost: {host}\r\n"
                "Content-Type: text/xml; charset=utf-8\r\nConnection: close\r\n"
                f'SOAPAction: "{soap.C}/GetConfig"\r\nContent-Length: {len(body)}\r\n\r\n')
        port = door.http_port if plain else door.port
        return statuses(raw(port, head.encode() + body, "" if plain else self.pki.ca))

    def test_only_its_own(self) -> None:
        door = self.gate(self.up, listener_more=NAMED)
        self.downstream(door).authorize()
        asked = len(self.up.requests())
        for good in (f"localhost:{door.port}", "LOCALHOST.", "127.0.0.1:1"):
            self.assertEqual(self.ask(door, good), [200], good)
        self.assertEqual(len(self.up.requests()), asked + 3)
        for other in ("wsus.other.example", "localhost.other.example", "127.0.0.2", "[::1]"):
            self.assertEqual(self.ask(door, other), [421], other)
            self.assertEqual(self.ask(door, other, method="HEAD"), [421], other)
        self.assertEqual(len(self.up.requests()), asked + 3, "nothing of it went upstream")
        self.assertEqual(door.metric("sallyport_misdirected_total"), 8)
        told = [e for e in door.log() if e["event"] == "misdirected"]
        self.assertEqual(len(told), 8)
        self.assertEqual((told[0]["host"], told[0]["listener"]),
                         ("wsus.other.example", "downstream"))

    def test_no_names(self) -> None:
        door = self.gate(self.up)
        self.assertEqual(self.ask(door, "wsus.other.example"), [200])
        self.assertEqual(self.ask(door, "wsus.other.example", plain=True), [403])


if __name__ == "__main__":
    unittest.main()
