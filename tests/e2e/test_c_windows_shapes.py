"""Content as Windows asks for it: Delivery Optimization, BITS, a downstream server."""
import random
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness  # noqa: F401

from streaming import MIB, ColdFile
from wire import Wire

SIZE = ColdFile.SIZE


class Shapes(ColdFile):
    def agent_wire(self, url: str, agent: str) -> Wire:
        wire = Wire(url, self.pki.ca, agent=agent)
        self.addCleanup(wire.close)
        return wire

    def test_delivery_optimization(self) -> None:
        """Aligned MiBs in any order over 3 to 7 connections, no HEAD."""
        for connections in (3, 5, 7):
            for tls in (False, True):
                with self.subTest(connections=connections, tls=tls):
                    self.open()
                    self.delivery_optimization(connections,
                                               self.door.url if tls else self.door.http_url)
                    self.up = self.upstream(self.catalogue)

    def delivery_optimization(self, connections: int, url: str) -> None:
        starts = list(range(0, SIZE, MIB))
        random.Random(connections).shuffle(starts)
        tags = set()

        def work(mine: list[int]) -> None:
            wire = self.agent_wire(url, "Microsoft-Delivery-Optimization/10.0")
            for first in mine:
                last = min(first + MIB, SIZE) - 1
                answer = wire.ask("GET", self.claim.path, {"Range": f"bytes={first}-{last}"})
                self.assertEqual(answer.status, 206)
                self.assertEqual(answer.headers["content-range"], f"bytes {first}-{last}/{SIZE}")
                self.assertEqual(answer.headers["content-length"], str(last - first + 1))
                self.assert_bytes(answer.body, self.file.read(first, last + 1), first)
                tags.add((answer.headers["etag"], answer.headers["last-modified"]))

        with ThreadPoolExecutor(connections) as pool:
            list(pool.map(work, [starts[i::connections] for i in range(connections)]))
        self.assertEqual(len(tags), 1)
        self.check_nothing_twice()
        self.assertEqual([r for r in self.up.content_requests() if r.method == "HEAD"], [])

    def test_bits(self) -> None:
        """HEAD, then ranges that hold only while the validators do; again after a restart."""
        wire = self.agent_wire(self.door.http_url, "Microsoft BITS/7.8")
        head = wire.ask("HEAD", self.claim.path)
        self.assertEqual((head.status, head.headers["content-length"]), (200, str(SIZE)))
        self.assertEqual(head.headers["accept-ranges"], "bytes")
        date, tag = head.headers["last-modified"], head.headers["etag"]
        at, size = 0, 3 * MIB + 17
        while at < SIZE:
            last = min(at + size, SIZE) - 1
            answer = wire.ask("GET", self.claim.path, {
                "Range": f"bytes={at}-{last}", "If-Unmodified-Since": date})
            self.assertEqual(answer.status, 206)
            self.assertEqual((answer.headers["last-modified"], answer.headers["etag"]), (date, tag))
            self.assert_bytes(answer.body, self.file.read(at, last + 1), at)
            at = last + 1
            if at == 4 * size:  # half way: the job goes on after a restart of ours
                wire.close()
                self.door.restart()
        self.assertEqual(wire.ask("GET", self.claim.path, {
            "Range": "bytes=0-0", "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}).status,
            412)

    def test_downstream_server(self) -> None:
        """Metadata over TLS at N, then content at N - 1 without it, each file whole."""
        server = self.downstream(self.door)
        self.assertEqual(self.door.http_port, self.door.port - 1)
        for claim in server.sync().claims.values():
            server.download(claim)
        targets = [r.target for r in self.up.content_requests()]
        self.assertEqual(sorted(targets), sorted(set(targets)), "one fetch a file")
        self.assertEqual(set(self.asked()), {""})


if __name__ == "__main__":
    unittest.main()
