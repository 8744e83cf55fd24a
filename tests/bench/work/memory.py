"""The most memory that a server has resident while transfers pass.

The goal is a formula: 32 MiB, 256 KiB for each transfer, and the largest document. A reply that
is judged before any of it goes out is held meanwhile; what that makes stands beside the goal."""
from concurrent.futures import ThreadPoolExecutor

import askers
from meter import peak_kib, reset_peaks
from stage import NOISE
from work import Job, Row
from work.soap import ask, ready

BASE_KIB, TRANSFER_KIB = 32 << 10, 256
DOCUMENT_KIB = 2 * 4 * NOISE // 3 >> 10  # a heavy one, in UTF-16 as it comes
REPLY_KIB = 20_000_000 >> 10
ASKERS, REPLIES = 8, 4


def goal(transfers: int, replies: int = 0) -> str:
    kib = BASE_KIB + TRANSFER_KIB * transfers + (DOCUMENT_KIB if replies else 0)
    held = f"; with the replies {(kib + REPLY_KIB * replies) / 1024:.0f}" if replies else ""
    return f"{kib / 1024:.1f}{held}"


class Files(Job):
    name, quick, cold, repetitions, seldom = "memory-cold", False, ASKERS, 3, 1
    runs, else_s = 0, 2.5
    rows = [Row("MiB", f"memory, {ASKERS} cold 64 MiB at once: peak, MiB", goal(ASKERS)),
            Row("grown_MiB", "the same, above what it had before, MiB")]

    def measure(self, peer, stage, _seconds: float, repetition: int) -> dict[str, float]:
        peer.must_fetch()
        paths = [stage.cold(self, repetition, i).path for i in range(ASKERS)]
        before = reset_peaks(peer.pids())
        askers.at_once(peer.url, paths, ASKERS, stage.pki.ca)
        peak = peak_kib(peer.pids())
        return {"MiB": peak / 1024, "grown_MiB": (peak - before) / 1024}


class Replies(Job):
    name, quick, heavy, repetitions, seldom = "memory-soap", False, REPLIES, 3, 1
    runs, else_s = 0, 2.5
    rows = [Row("MiB", f"memory, {REPLIES} replies of 20 MB at once: peak, MiB",
                goal(REPLIES, REPLIES)),
            Row("grown_MiB", "the same, above what it had before, MiB")]

    def measure(self, peer, stage, _seconds: float, repetition: int) -> dict[str, float]:
        peer.must_pass_soap()
        servers = [ready(peer, stage) for _ in range(REPLIES)]
        try:
            before = reset_peaks(peer.pids())
            with ThreadPoolExecutor(REPLIES) as pool:
                list(pool.map(lambda i: ask(servers[i], stage.heavy_group(self, repetition, i)),
                              range(REPLIES)))
            peak = peak_kib(peer.pids())
        finally:
            for server in servers:
                server.close()
        return {"MiB": peak / 1024, "grown_MiB": (peak - before) / 1024}


WORK = [Files(), Replies()]
