"""A GetUpdateData reply of 20 MB, new to whoever is asked: milliseconds to its last byte.

The peers pass it through; sallyport decodes, unpacks, parses, judges and records it. What is
measured is the answer's last byte, as it came: nothing is parsed by the asker meanwhile."""
import soap
from downstream import Downstream, identities
from meter import Stopwatch


class Soap:
    name, unit, goal, quick, cold, soap = (
        "soap-20MB", "ms", "<= 1.5 nginx, with everything judged", False, 0, True)

    def measure(self, peer, stage, _seconds: int, repetition: int) -> dict[str, float] | None:
        if not peer.passes_soap:
            return None
        with Downstream(peer.url, stage.pki.ca, accept="") as server:
            server.authorize()
            server.config()
            server.fetch(server.revision_ids(True))
            envelope = soap.request(
                "GetUpdateData", soap.S,
                f"{server.cookie}<updateIds>{identities(stage.soap_group(repetition))}</updateIds>")
            watch = Stopwatch(peer.pids())
            answer = server.wire.post(soap.SERVER_SYNC,
                                      soap.action(soap.SERVER_SYNC, "GetUpdateData"), envelope)
            spent, total = watch.cpu(), watch.seconds()
        if answer.status != 200:
            raise SystemExit(f"{peer.url}: {answer.status} {answer.body[:300]!r}")
        megabytes = len(answer.body) / 1e6
        return {"main": total * 1e3, "MB": megabytes, "cpu_s_per_GB": spent / megabytes * 1e3}


WORK = [Soap()]
