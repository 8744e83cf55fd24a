"""sallyport itself: metadata by a downstream server, then its cache filled."""
import os
from pathlib import Path

from downstream import Downstream
from gate import Gate

from peers import Server


VERSION = (os.environ.get("SALLYPORT", ""), "--version")


def available() -> bool:
    return Path(os.environ.get("SALLYPORT", "")).is_file()


class Peer(Server):
    has_twin = True

    def __init__(self, stage) -> None:
        super().__init__(stage)
        self.gate = Gate(stage.origin, stage.pki, workers=stage.workers,
                         log_level="warning").start()
        self.url, self.plain_url = self.gate.url, self.gate.http_url
        self.processes = [self.gate.process]
        with Downstream(self.url, stage.pki.ca, content=self.plain_url) as server:
            server.authorize()
            server.config()
            server.fetch(server.revision_ids(True))
            server.fetch(stage.light_keys())

    def close(self) -> None:
        self.gate.close()
        self.processes = []
        super().close()
