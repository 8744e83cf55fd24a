"""Connections over TLS that asked once and are kept: KiB each."""
import resource
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from meter import pss_kib

AN_ADDRESS = 50  # connections: a server may have a limit


@dataclass
class Idle:
    name: str
    count: int
    quick: bool
    goal: str
    unit: str = "KiB/connection"
    cold: int = 0
    soap: bool = False

    def measure(self, peer, stage, _seconds: int, _repetition: int) -> dict[str, float]:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        to, context, held = urlsplit(peer.url), stage.client_context(), []
        request = (f"HEAD {stage.warm_files['small'].path} HTTP/1.1\r\nHost: {to.netloc}\r\n\r\n"
                   ).encode()
        if peer.rest_kib is None:
            peer.rest_kib = pss_kib(peer.pids())  # nobody gives all of it back
        try:
            for i in range(self.count):
                at = i // AN_ADDRESS
                bare = socket.create_connection(
                    ("127.0.0.1", to.port), source_address=(f"127.1.{at // 200}.{at % 200 + 1}", 0))
                tls = context.wrap_socket(bare, server_hostname=to.hostname)
                tls.sendall(request)
                tls.recv(4096)
                held.append(tls)
            time.sleep(1)
            grown = pss_kib(peer.pids()) - peer.rest_kib
        finally:
            for tls in held:
                tls.close()
        time.sleep(1)
        return {"main": grown / self.count, "pss_MiB": (grown + peer.rest_kib) / 1024,
                "held": len(held)}


WORK = [Idle("idle-1000", 1000, True, "<= 14.4"),
        Idle("idle-10000", 10000, False, "<= 14.4; all <= 150 MiB")]
