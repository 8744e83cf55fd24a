"""Legal and illegal requests in odd shapes: each gets an answer or the end of its connection, and the
program goes on. What only an assertion would catch is caught here."""
import itertools
import random
import socket
import struct
import unittest

import harness  # noqa: F401

import catalogue
import soap
from scene import Scene, raw, statuses

SOAP = soap.SERVER_SYNC
ACTION = soap.action(SOAP, "GetUpdateData")


class Empty(catalogue.Catalogue):
    """With one file that has no bytes."""

    def _make_files(self, count: int, big: int):
        return [catalogue.File("empty.txt", 0, f"{self.seed}/empty"),
                *super()._make_files(count, big)]


class Odd(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Empty(181, 40, 10, big=0)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up)
        self.server = self.downstream(self.door)
        self.claims = {c.size: c for c in self.server.sync().claims.values()}
        self.http = self.wire(self.door.http_url)

    def post(self, *fields: str, body: bytes = b"", action: str = ACTION) -> bytes:
        head = [f"POST {SOAP} HTTP/1.1", "Host: gate", "Content-Type: text/xml; charset=utf-8",
                f'SOAPAction: "{action}"', *fields]
        return "\r\n".join([*head, "", ""]).encode() + body

    def test_file_without_bytes(self) -> None:
        path = self.claims[0].path
        for method, fields, status in (
                ("GET", {}, 200), ("HEAD", {}, 200), ("GET", {"Range": "bytes=0-0"}, 200),
                ("GET", {"Range": "bytes=0-"}, 200), ("GET", {"Range": "bytes=-1"}, 200),
                ("HEAD", {"Range": "bytes=0-"}, 200), ("GET", {"If-None-Match": "*"}, 304),
                ("HEAD", {"If-None-Match": "*"}, 304), ("GET", {"If-Match": '"x"'}, 412)):
            with self.subTest(method=method, fields=fields):
                answer = self.http.ask(method, path, fields)
                self.assertEqual((answer.status, answer.body), (status, b""))
        self.assertEqual(self.door.check_objects(), 1)

    def test_every_mixture_of_conditions(self) -> None:
        claim = self.claims[max(self.claims)]
        etag = self.http.ask("GET", claim.path, {}).headers["etag"]
        date = "Thu, 01 Jan 1970 00:00:00 GMT"
        values = {"Range": ("bytes=0-", "bytes=-0", "bytes=9999999999-", "bytes=0-0,1-1", "x"),
                  "If-Range": (etag, '"x"', date), "If-None-Match": ("*", etag, '"x"'),
                  "If-Match": ("*", etag, '"x"'), "If-Modified-Since": (date, "never"),
                  "If-Unmodified-Since": (date, "never")}
        chance = random.Random(1)
        mixes = list(itertools.product(*[(None, *v) for v in values.values()]))
        for mix in chance.sample(mixes, 400):
            fields = {k: v for k, v in zip(values, mix) if v}
            answer = self.http.ask(chance.choice(("GET", "HEAD")), claim.path, fields)
            self.assertIn(answer.status, (200, 206, 304, 412, 416), fields)
            if answer.status == 304:
                self.assertNotIn("content-length", answer.headers)

    def test_posts(self) -> None:
        good = b"<x/>"
        length = f"Content-Length: {len(good)}"
        content = self.claims[0].path
        asks = (
            (self.post(length, body=good), [500]),
            (self.post("Content-Length: 0"), [500]),
            (self.post("Transfer-Encoding: chunked", body=b"4\r\n<x/>\r\n0\r\n\r\n"), [500]),
            (self.post("Transfer-Encoding: chunked", body=b"4\r\n<x/>\r\n0\r\n\r\nGET"), [500]),
            (self.post("Transfer-Encoding: chunked", body=b"0\r\nA: b\r\n\r\n"), None),
            (self.post("Transfer-Encoding: chunked", length, body=good), [400]),
            (self.post("Expect: 100-continue", length, body=good), [500]),
            (self.post("Expect: 100-continue"), None),
            (self.post("Expect: 200-ok", length, body=good), [417]),
            (self.post("Content-Length: 99999999"), [413]),
            (self.post(length, body=good, action="urn:unknown"), [500]),
            (self.post("Content-Length: 4000", body=b"x" * 4000, action="urn:unknown"), [500]),
            (f"POST {content} HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n".encode() + good, [405]),
            (f"DELETE {content} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), None),
            (f"GET {content} HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n".encode() + good, None),
            (self.post(length, body=good) * 3, [500, 500, 500]),
            (self.post("Content-Length: 99999999") + self.post(length, body=good), [413]),
        )
        for ask, expected in asks:
            with self.subTest(ask[-120:]):
                answer = raw(self.door.port, ask, self.pki.ca, wait=0.7)
                found = statuses(answer)
                if expected is not None:
                    self.assertEqual(found, expected)
                else:
                    self.assertTrue(all(400 <= s < 600 or s == 200 for s in found), found)
        self.server.update_data([self.catalogue.revisions[0].key])

    def test_cut_at_every_place(self) -> None:
        body = b"<x/>" * 50
        ask = self.post(f"Content-Length: {len(body)}", "Expect: 100-continue", body=body)
        path = self.claims[max(self.claims)].path
        for port, data in ((self.door.port, ask), (self.door.http_port, ask), (
                self.door.http_port, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())):
            for cut in range(0, len(data), 7):
                self.reset_after(port, data[:cut])
        self.server.update_data([self.catalogue.revisions[0].key])

    def reset_after(self, port: int, data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port), 5) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(data)


if __name__ == "__main__":
    unittest.main()
