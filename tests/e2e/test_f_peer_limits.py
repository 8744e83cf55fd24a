"""What one peer may have: who takes more is told when to come again, and the others notice
nothing."""
import socket
import ssl
import threading
import unittest

import harness  # noqa: F401

import catalogue
import soap
from gate import hang_up, wait_until
from scene import Scene
from wire import Wire



def get_config(minor: int = 90) -> bytes:
    return soap.client_request("GetConfig", soap.C,
                               f"<protocolVersion>2.{minor}</protocolVersion>")


HEAD = ("POST /ClientWebService/client.asmx HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: text/xml; charset=utf-8\r\n"
        f'SOAPAction: "{soap.C}/GetConfig"\r\nContent-Length: {len(get_config())}\r\n\r\n').encode()
GUEST = "127.0.0.2"  # the tests' own address is 127.0.0.1


class PeerLimits(Scene):
    def setUp(self) -> None:
        self.catalogue = catalogue.Catalogue(5, 20, 3)
        self.up = self.upstream(self.catalogue)

    def config(self, wire: Wire, minor: int = 90):
        return wire.post("/ClientWebService/client.asmx", f"{soap.C}/GetConfig",
                         get_config(minor))

    def guest(self, door, plain: bool = False, source: str = GUEST) -> Wire:
        return self.wire(door.http_url.replace("localhost", "127.0.0.1") if plain
                         else door.url, source=source)

    def assert_limited(self, answer) -> None:
        self.assertEqual(answer.status, 503)
        self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)

    def test_a_rate(self) -> None:
        door = self.gate(self.up, peer_rate=1)
        guest, passed = self.guest(door), 0
        while (answer := self.config(guest)).status == 200:
            passed += 1
            self.assertLess(passed, 500)
        self.assert_limited(answer)
        self.assertGreaterEqual(passed, 10)
        self.assertEqual(len(self.up.requests()), passed, "no more than that went upstream")
        self.downstream(door).authorize()
        self.assertGreaterEqual(door.metric("sallyport_limited_total", limit="rate"), 1)
        row = door.status()["limited"][0]
        self.assertEqual((row["peer"], row["metadata"]), (GUEST, 0))
        self.assertGreaterEqual(row["refused"]["rate"], 1)
        told = [e for e in door.log() if e["event"] == "peer_limited"]
        self.assertEqual([(e["limited"], e["why"]) for e in told], [(GUEST, "it asks too often")])

    def test_at_once(self) -> None:
        door = self.gate(self.up, peer_at_once=3)
        self.up.hostile.hold = threading.Event()
        self.addCleanup(self.up.hostile.hold.set)
        answers: list[int] = []

        def ask(minor: int) -> None:
            answers.append(self.config(self.guest(door), minor).status)

        threads = [threading.Thread(target=ask, args=(minor,)) for minor in range(3)]
        for thread in threads:
            thread.start()
        wait_until("all three are under way", lambda: len(self.up.requests()) == 3)
        refusal = self.head_only(door)  # a fourth one is turned away before its body
        self.assertTrue(refusal.startswith(b"HTTP/1.1 503 "), refusal)
        self.assertRegex(refusal, rb"\r\nRetry-After: [1-9]")
        self.up.hostile.hold.set()
        self.assertEqual(self.config(self.guest(door, source="127.0.0.3")).status, 200)
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200] * 3)
        wait_until("there is room again", lambda: self.config(self.guest(door)).status == 200)
        self.assertEqual(door.metric("sallyport_limited_total", limit="at-once"), 1)
        self.assertEqual(door.metric("sallyport_limited_total", limit="rate"), 0)

    def head_only(self, door) -> bytes:
        context = ssl.create_default_context(cafile=self.pki.ca)
        with socket.create_connection(("127.0.0.1", door.port), 10, (GUEST, 0)) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as sock:
            sock.sendall(HEAD)
            return sock.recv(4096)

    def test_content(self) -> None:
        """Bytes: what is in the store flows until a minute's worth went out."""
        door = self.gate(self.up, peer_content_mib=1)
        server = self.downstream(door)
        claim = max(server.sync().claims.values(), key=lambda c: c.size)
        server.download(claim)
        guest, sent = self.guest(door, plain=True), 0
        while (answer := guest.ask("GET", claim.path)).status == 200:
            sent += len(answer.body)
            self.assertLess(sent, 600 << 20)
        self.assert_limited(answer)
        self.assertGreaterEqual(sent, 60 << 20)
        server.download(claim)
        self.assertEqual(door.status()["limited"][0]["refused"]["bytes"], 1)
        self.assertEqual(self.config(self.guest(door)).status, 200, "metadata is counted apart")

    def test_files_at_once(self) -> None:
        door = self.gate(self.up, peer_content_at_once=2)
        server = self.downstream(door)
        claim = max(server.sync().claims.values(), key=lambda c: c.size)
        server.download(claim)
        slow = [self.slow_reader(door, claim.path) for _ in range(2)]
        self.assert_limited(self.guest(door, plain=True).ask("GET", claim.path))
        server.download(claim)
        self.assertEqual(self.config(self.guest(door)).status, 200)
        slow.pop().close()
        wait_until("there is room again", lambda: self.guest(door, plain=True).ask(
            "GET", claim.path).status == 200)

    def slow_reader(self, door, path: str) -> socket.socket:
        """Has begun to get the file and takes no more of it."""
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind((GUEST, 0))
        sock.connect(("127.0.0.1", door.http_port))
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.assertTrue(sock.recv(12).startswith(b"HTTP/1.1 200"))
        return sock

    def test_a_certificate_is_its_own_peer(self) -> None:
        """Behind one address there may be many."""
        door = self.gate(self.up, peer_rate=1, client_ca=self.pki.file("client-ca.pem"))
        one = self.wire(door.url, pair=self.pki.pair("client"))
        two = self.wire(door.url, pair=self.pki.pair("client-two"))
        while (answer := self.config(one)).status == 200:
            self.assertLess(len(self.up.requests()), 500)
        self.assert_limited(answer)
        self.assertEqual(self.config(two).status, 200)
        self.assertTrue(door.status()["limited"][0]["peer"].startswith("sha256//"))
        moved = self.wire(door.url, pair=self.pki.pair("client"), source=GUEST)
        passed = 0
        while self.config(moved).status == 200:  # what came back meanwhile, not a share of its own
            passed += 1
            self.assertLess(passed, 10)
        self.assertEqual(len(door.status()["limited"]), 1)

    def test_limits_are_reloaded(self) -> None:
        door = self.gate(self.up, peer_rate=1)
        guest = self.guest(door)
        while self.config(guest).status == 200:
            self.assertLess(len(self.up.requests()), 500)
        door.write_config(peer_rate=0)
        hang_up(door)
        wait_until("the limit is gone", lambda: self.config(guest).status == 200)
        self.assertEqual({self.config(guest).status for _ in range(30)}, {200})

    def connect(self, port: int, source: str = GUEST) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
        self.addCleanup(sock.close)
        return sock

    def test_connections(self) -> None:
        """All loops of a listener count together; who comes on top is told why where that is
        possible, and the log tells whom."""
        door = self.gate(self.up, peer_connections=5, workers=2)
        held = [self.connect(door.http_port) for _ in range(5)]
        wait_until("all are in", lambda: door.metric(
            "sallyport_connections", listener="downstream-http") == 5)
        told = self.connect(door.http_port).makefile("rb").read()
        self.assertTrue(told.startswith(b"HTTP/1.1 503 "), told)
        self.assertIn(b"\r\nRetry-After: ", told)
        over = self.connect(door.http_port).makefile("rb").read()
        self.assertEqual(over, told)
        self.assertEqual(self.config(self.guest(door)).status, 200, "the other listener")
        self.assertEqual(self.wire(door.http_url).ask("GET", "/nothing").status, 404)
        wait_until("both are counted", lambda: door.metric(
            "sallyport_connections_refused_total", reason="limit") == 2)
        self.assertEqual(door.metric("sallyport_connections_refused_total"), 2)
        lines = [e for e in door.log() if e["event"] == "turned_away"]
        self.assertIn(len(lines), (1, 2))  # a loop tells it once in ten seconds
        self.assertEqual({(e["listener"], e["peer"], e["limit"]) for e in lines},
                         {("downstream-http", GUEST, "peer_connections")})
        self.assertIn("raise it", lines[0]["why"])
        door.write_config(peer_connections=6)
        hang_up(door)
        wait_until("it is reloaded", lambda: any(e["event"] == "reloaded" for e in door.log()))
        sixth = self.connect(door.http_port)
        sixth.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(sixth.recv(100).startswith(b"HTTP/1.1 404 "))
        del held

    def test_an_address_that_is_not_allowed(self) -> None:
        door = self.gate(self.up, allow=["127.0.0.1"])
        self.assertEqual(self.connect(door.port).makefile("rb").read(), b"")
        wait_until("it is counted", lambda: door.metric(
            "sallyport_connections_refused_total", reason="address") == 1)
        line, = [e for e in door.log() if e["event"] == "turned_away"]
        self.assertEqual((line["peer"], line["limit"]), (GUEST, "allow"))

    def test_real_ones_meet_none(self) -> None:
        door = self.gate(self.up)
        server = self.downstream(door)
        server.sync()
        for claim in server.synced.claims.values():
            server.download_ranges(claim)
        for _ in range(3):
            self.agent(door).register()
        self.assertEqual(door.metric("sallyport_limited_total"), 0)
        self.assertEqual(door.status()["limited"], [])


if __name__ == "__main__":
    unittest.main()
