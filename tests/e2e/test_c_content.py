"""Content as BITS and Delivery Optimization ask for it: ranges, conditions, many at once."""
import hashlib
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401

import catalogue
from downstream import Downstream
from scene import Scene


class Served(Scene):
    """One gate for all; each test takes a file of its own where the first fetch matters."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(21, 60, 25, big=20 << 20)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up)
        self.server = self.downstream(self.door)
        self.claims = sorted(self.server.sync().claims.values(), key=lambda c: c.size)
        self.claim = next(c for c in self.claims if c.size == 300_000)
        self.body = self.catalogue.by_digest[self.claim.sha1].read()
        self.http = self.wire(self.door.http_url)

    def get(self, method: str = "GET", **headers: str):
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.http.ask(method, self.claim.path, named)

    def test_head_fields_are_constant(self) -> None:
        first = self.get()
        self.assertEqual(first.status, 200)
        self.assert_bytes(first.body, self.body)
        self.assertEqual(first.headers["etag"], f'"{hashlib.sha256(self.body).hexdigest()}"')
        self.assertEqual(first.headers["accept-ranges"], "bytes")
        self.assertEqual(first.headers["content-type"], "application/octet-stream")
        self.assertNotIn("content-encoding", first.headers)
        for again in (self.get(), self.get("HEAD"), self.get(Range="bytes=0-0")):
            for name in ("etag", "last-modified", "accept-ranges", "content-type"):
                self.assertEqual(again.headers[name], first.headers[name], name)
        self.door.restart()
        self.http.close()
        for name in ("etag", "last-modified"):
            self.assertEqual(self.get().headers[name], first.headers[name], name)

    def test_head_method(self) -> None:
        answer = self.get("HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.headers["content-length"], str(self.claim.size))

    def test_ranges(self) -> None:
        size = self.claim.size
        for asked, first, last in (
                ("0-0", 0, 0), ("0-", 0, size - 1), (f"{size - 1}-", size - 1, size - 1),
                (f"{size - 1}-{size}", size - 1, size - 1), ("-1", size - 1, size - 1),
                (f"-{size}", 0, size - 1), (f"-{size + 1}", 0, size - 1),
                ("1000-1999", 1000, 1999), (f"0-{2**64 - 1}", 0, size - 1)):
            with self.subTest(asked):
                answer = self.get(Range=f"bytes={asked}")
                self.assertEqual(answer.status, 206)
                self.assertEqual(answer.headers["content-range"], f"bytes {first}-{last}/{size}")
                self.assert_bytes(answer.body, self.body[first:last + 1])

    def test_ranges_that_cannot_be_met(self) -> None:
        for asked in (f"{self.claim.size}-", f"{self.claim.size}-{self.claim.size + 5}", "-0"):
            with self.subTest(asked):
                answer = self.get(Range=f"bytes={asked}")
                self.assertEqual(answer.status, 416)
                self.assertEqual(answer.headers["content-range"], f"bytes */{self.claim.size}")
                self.assertNotIn(self.body[:100], answer.body)

    def test_ranges_that_are_ignored(self) -> None:
        for asked in ("bytes=0-1,3-4", "lines=0-1", "bytes=5-3", "bytes=a-b", "bytes=-", "0-1"):
            with self.subTest(asked):
                answer = self.get(Range=asked)
                self.assertEqual(answer.status, 200)
                self.assert_bytes(answer.body, self.body)

    def test_conditions(self) -> None:
        etag = self.get().headers["etag"]
        date = self.get().headers["last-modified"]
        for headers, status in (
                ({"If_None_Match": etag}, 304), ({"If_None_Match": "*"}, 304),
                ({"If_None_Match": f'"x", {etag}'}, 304), ({"If_None_Match": '"x"'}, 200),
                ({"If_None_Match": f"W/{etag}"}, 304), ({"If_Modified_Since": date}, 304),
                ({"If_Match": etag}, 200), ({"If_Match": '"x"'}, 412),
                ({"If_Match": f"W/{etag}"}, 412), ({"If_Unmodified_Since": date}, 200),
                ({"If_Unmodified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
                ({"If_Range": etag, "Range": "bytes=1-2"}, 206),
                ({"If_Range": '"x"', "Range": "bytes=1-2"}, 200),
                ({"If_Range": f"W/{etag}", "Range": "bytes=1-2"}, 200),
                ({"If_None_Match": etag, "Range": "bytes=1-2"}, 304)):
            with self.subTest(headers):
                answer = self.get(**headers)
                self.assertEqual(answer.status, status)
                if status in (304, 412):
                    self.assertNotIn(self.body[:100], answer.body)
                if status == 304:
                    self.assertEqual((answer.body, answer.headers["etag"]), (b"", etag))

    def test_smallest_file(self) -> None:
        self.claim = self.claims[0]
        self.assertEqual(self.claim.size, 1)
        self.server.download(self.claim)
        self.assertEqual(self.get(Range="bytes=0-0").status, 206)

    def test_shuffled_ranges_of_a_cold_file(self) -> None:
        big = self.claims[-1]
        self.assertGreaterEqual(big.size, 20 << 20)
        for content in (self.door.http_url, self.door.url):
            server = self.downstream(self.door, content=content)
            data = server.download_ranges(big, connections=8, seed=5)
            self.assert_bytes(data, self.catalogue.by_digest[big.sha1].read(), content)
        asked = [r for r in self.up.content_requests() if r.target == big.path]
        self.assertEqual(len(asked), 1, "one fetch a file")

    def test_eight_clients_one_fetch(self) -> None:
        """Eight at once, mixed ways, cold: every byte right, every file fetched once."""
        def client(number: int) -> int:
            content = (self.door.url, self.door.http_url)[number % 2]
            with Downstream(self.door.url, self.pki.ca, content=content) as server:
                claims = self.claims[number:] + self.claims[:number]
                for claim in claims:
                    if number % 3:
                        server.download(claim)
                    else:
                        server.download_ranges(claim, connections=2, seed=number)
            return len(claims)

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(list(pool.map(client, range(8))), [len(self.claims)] * 8)
        targets = sorted(r.target for r in self.up.content_requests())
        self.assertEqual(targets, sorted(c.path for c in self.claims))
        self.assertEqual(self.door.check_objects(), len({c.sha256 for c in self.claims}))

    def test_asker_that_leaves_does_not_stop_the_others(self) -> None:
        big = self.claims[-1]
        self.up.hostile.pace = 0.02
        leaver = self.wire(self.door.http_url, timeout=0.1)
        with self.assertRaises(TimeoutError):
            leaver.ask("GET", big.path)
        self.server.download(big)

    def test_unknown_digest_makes_no_traffic(self) -> None:
        before = len(self.up.requests())
        for path in ("/Content/00/" + "0" * 38 + "00.cab", "/Content/AB/" + "F" * 38 + "AB.exe",
                     self.claim.path.replace("/Content/", "/Content/0", 1),
                     self.claim.path + "x" * 9, self.claim.path.rpartition(".")[0],
                     "/Content/anonymousCheckFile.txt", "/SelfUpdate/wuident.cab"):
            for method in ("GET", "HEAD"):
                answer = self.http.ask(method, path)
                self.assertEqual(answer.status, 404, path)
        wrong = f"/Content/00/{self.claim.path[12:]}"
        if wrong != self.claim.path:
            self.assertEqual(self.http.ask("GET", wrong).status, 404)
        self.assertEqual(len(self.up.requests()), before)

    def test_spelling_of_the_path(self) -> None:
        """Letter case does not matter, and the upstream sees one spelling."""
        for path in (self.claim.path.lower(), self.claim.path.upper(), "/" + self.claim.path):
            self.assertEqual(self.http.ask("GET", path).status, 200, path)
        self.assertEqual([r.target for r in self.up.content_requests()], [self.claim.path])

    def test_content_over_the_plain_leg(self) -> None:
        """content_transport https-or-http: digests prove what transport does not."""
        gate = self.gate(self.up, content_transport="https-or-http")
        server = self.downstream(gate)
        for claim in server.sync().claims.values():
            server.download(claim)

    def test_content_over_http_can_be_refused(self) -> None:
        gate = self.gate(self.up, content_http="refuse")
        server = self.downstream(gate, content=gate.url)
        server.sync()
        server.download(self.claim)
        self.assertEqual(self.wire(gate.http_url).ask("GET", self.claim.path).status, 403)


if __name__ == "__main__":
    unittest.main()
