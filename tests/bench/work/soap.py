"""A GetUpdateData reply of 20 MB, new to whoever is asked: milliseconds to its last byte.

The peers pass it through; sallyport decodes, unpacks, parses, judges and records it. What is
measured is the answer's last byte, as it came: nothing is parsed by the asker meanwhile."""
import soap
from downstream import Downstream, identities
from meter import Stopwatch
from work import Cannot, Job, Row


def ready(peer, stage) -> Downstream:
    """A downstream server that may ask for update data now."""
    server = Downstream(peer.url, stage.pki.ca, accept="")
    server.authorize()
    server.config()
    server.fetch(server.revision_ids(True))
    return server


def ask(server: Downstream, keys: list[tuple[str, int]]) -> bytes:
    envelope = soap.request("GetUpdateData", soap.S,
                            f"{server.cookie}<updateIds>{identities(keys)}</updateIds>")
    answer = server.wire.post(soap.SERVER_SYNC, soap.action(soap.SERVER_SYNC, "GetUpdateData"),
                              envelope)
    if answer.status != 200:
        raise Cannot(f"{answer.status} {answer.body[:200]!r}")
    if answer.body.count(b"<ServerSyncUpdateData>") != len(keys):
        raise Cannot("documents are missing in the reply")
    return answer.body


class Soap(Job):
    name, quick, heavy = "soap-20MB", False, 1
    rows = [Row("total_ms", "20 MB of update metadata: last byte, ms", "1.5 nginx"),
            Row("s_per_GB", "the same, s/GB")]

    def measure(self, peer, stage, _seconds: float, repetition: int) -> dict[str, float]:
        peer.must_pass_soap()
        with ready(peer, stage) as server:
            watch = Stopwatch(peer.pids())
            body = ask(server, stage.heavy_group(self, repetition))
            spent, total = watch.cpu(), watch.seconds()
        return {"total_ms": total * 1e3, "MB": len(body) / 1e6,
                "s_per_GB": spent / len(body) * 1e9}


WORK = [Soap()]
