"""Memory has one ceiling for all: askers that wait, and large replies at the same time."""
import socket
import ssl
import threading
import unittest

import harness  # noqa: F401

import catalogue
import soap
from gate import wait_until
from scene import Scene


class Memory(Scene):
    ASKERS = 40

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(151, 150, 30, big=0)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up, metadata_memory_mib=1)
        self.keys = [r.key for r in self.catalogue.revisions[:100]]
        self.outcomes: list[str] = []

    def ask(self, server) -> None:
        try:
            server.update_data(self.keys)
            self.outcomes.append("served")
        except soap.Fault as fault:
            away = "too much" in fault.message or fault.status == 503
            self.outcomes.append("turned away" if away else fault.code)
        except OSError:
            self.outcomes.append("left")

    def test_askers_that_wait_are_bounded(self) -> None:
        servers = [self.downstream(self.door) for _ in range(self.ASKERS)]
        for server in servers:
            server.authorize()
        self.up.hostile.replies["GetUpdateData"] = "hang"
        threads = [threading.Thread(target=self.ask, args=(s,)) for s in servers]
        for thread in threads:
            thread.start()
        wait_until("somebody is told", lambda: "turned away" in self.outcomes)
        self.assertGreater(self.door.metric("sallyport_busy_total"), 0)
        self.assertEqual(self.door.health(), 200)
        self.up.hostile.reset()
        for server in servers:
            server.close()
        self.up.close()
        for thread in threads:
            thread.join()
        self.assertLess(self.outcomes.count("turned away"), self.ASKERS - 5, "some were let in")

    def test_bodies_still_to_come_count(self) -> None:
        """Who announces a body takes its room before a byte of it comes; who finds none is told to
        come again, and the room is free once the announcers are gone."""
        head = ("POST /ClientWebService/Client.asmx HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: text/xml; charset=utf-8\r\nSOAPAction: "
                f'"{soap.C}/GetConfig"\r\nContent-Length: 400000\r\n\r\n').encode()
        with self.connect() as first:
            first.sendall(head)
            wait_until("the room is taken", lambda: self.answer(head).startswith(
                b"HTTP/1.1 503 Service Unavailable\r\n"))
            self.assertIn(b"Retry-After: 60\r\n", self.answer(head))
        self.assertEqual(self.up.requests(), [])
        server = self.downstream(self.door)

        def served() -> bool:
            try:
                server.authorize()
            except soap.Fault:
                return False
            return True

        wait_until("the room is free again", served)

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.pki.ca)
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.door.port)),
                                   server_hostname="localhost")

    def answer(self, head: bytes) -> bytes:
        """What is said before the body; nothing where the body is waited for."""
        with self.connect() as sock:
            sock.settimeout(0.5)
            try:
                sock.sendall(head)
                return sock.recv(4096)
            except TimeoutError:
                return b""

    def test_what_was_held_is_given_back(self) -> None:
        server = self.downstream(self.door)
        server.authorize()
        for _ in range(60):
            server.update_data(self.keys[:20])
        self.assertEqual(self.door.metric("sallyport_busy_total"), 0)

    def test_a_reply_that_does_not_fit(self) -> None:
        server = self.downstream(self.door)
        server.authorize()
        self.assert_fault(lambda: server.update_data(self.keys), "memory ran out",
                          codes=("ServerBusy",), status=503)
        server.update_data(self.keys[:1])


if __name__ == "__main__":
    unittest.main()
