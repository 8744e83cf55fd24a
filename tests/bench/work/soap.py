"""Replies of 20 MB: milliseconds to the last byte.

One is GetUpdateData's, new to whoever is asked: the peers pass it through; sallyport decodes,
unpacks, parses, judges and records it. The other brings deployments and no document. What is
measured is the answer's last byte, as it came: nothing is parsed by the asker meanwhile."""
import functools
import uuid

import soap
from downstream import Downstream, identities
from meter import Stopwatch
from work import Cannot, Job, Row

DEPLOYMENTS = 39_000  # 20 MB


def ready(peer, stage) -> Downstream:
    """A downstream server that may ask for update data now."""
    server = Downstream(peer.url, stage.pki.ca, accept="")
    server.authorize()
    server.config()
    server.fetch(server.revision_ids(True))
    return server


@functools.cache
def deployments() -> bytes:
    """GetDeployments' answer, each of them another one."""
    group = "a0a08746-4dbe-4a37-9adf-9e7652c0b421"
    rows = "".join(
        f"<ServerSyncDeployment><UpdateId>{uuid.UUID(int=i << 64)}</UpdateId>"
        f"<RevisionNumber>{200 + i % 7}</RevisionNumber><Action>{i % 3}</Action>"
        "<AdminName>CONTOSO\\admin</AdminName><Deadline>9999-12-31T23:59:59.9999999</Deadline>"
        "<IsAssigned>true</IsAssigned><GoLiveTime>2026-01-02T00:00:00</GoLiveTime>"
        f"<DeploymentGuid>{uuid.UUID(int=i)}</DeploymentGuid><TargetGroupId>{group}"
        "</TargetGroupId><DownloadPriority>1</DownloadPriority></ServerSyncDeployment>"
        for i in range(DEPLOYMENTS))
    return soap.response("GetDeployments", soap.S, (
        f"<Anchor>a</Anchor><Groups /><Deployments>{rows}</Deployments><DeadDeployments />"
        "<HiddenUpdates /><AcceptedEulas />"))


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
    runs, else_s = 0, 0.6
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


class Relayed(Job):
    name, quick = "deployments-20MB", False
    runs, else_s = 0, 0.6
    rows = [Row("total_ms", "20 MB without documents: last byte, ms", "1.0 nginx"),
            Row("s_per_GB", "the same, s/GB", "1.0 nginx")]

    def measure(self, peer, stage, _seconds: float, _repetition: int) -> dict[str, float]:
        peer.must_pass_soap()
        stage.upstream.deployments = deployments()
        with ready(peer, stage) as server:
            envelope = soap.request("GetDeployments", soap.S,
                                    f"{server.cookie}<syncAnchor>a</syncAnchor>")
            watch = Stopwatch(peer.pids())
            answer = server.wire.post(soap.SERVER_SYNC,
                                      soap.action(soap.SERVER_SYNC, "GetDeployments"), envelope)
            spent, total = watch.cpu(), watch.seconds()
        if (answer.status, answer.body) != (200, deployments()):
            raise Cannot(f"{answer.status}, {len(answer.body)} bytes, others than were sent")
        return {"total_ms": total * 1e3, "MB": len(answer.body) / 1e6,
                "s_per_GB": spent / len(answer.body) * 1e9}


WORK = [Soap(), Relayed()]
