"""What all servers of a run stand before: one upstream, certificates, files warm and cold."""
import hashlib
import ssl
import urllib.request
from dataclasses import dataclass, field

import wsus_upstream
from catalogue import Catalogue, b64
from pki import make

SMALL, BIG, HUGE = 4096, 64 << 20, 1 << 30
NOISE = 205_000  # bytes in each heavy document, which make 0.4 MB of a reply
GROUP = 50       # heavy documents a reply
REPLY = 32 << 20  # more than a group makes


class Made(Catalogue):
    """And heavy leaves, whose documents make replies of 20 MB, fifty of them each."""

    is_heavy = False

    def __init__(self, *args, heavy: int, **more) -> None:
        super().__init__(*args, **more)
        self.is_heavy = True
        self.heavy = [self._leaf(f"heavy {i}", []) for i in range(heavy)]
        self.by_key = {r.key: r for r in self.revisions}
        for revision in self.heavy:
            assert revision.blob  # made now and kept: packing takes longer than all the rest

    def _filling(self) -> str:
        if not self.is_heavy:
            return super()._filling()
        noise = b64(self.random.randbytes(NOISE))
        return f'<bar:RegSz Key="HKEY_LOCAL_MACHINE" Subkey="N" Value="V" Data="{noise}" />'


@dataclass
class Stage:
    """The upstream of a run of some jobs. Each job's cold files and heavy documents are its own,
    for each repetition others, since each is new to a server only once."""

    workers: int
    repetitions: int
    works: list
    want_huge: bool  # ranges are of a file of 1 GiB
    pki: object = field(default_factory=make)

    def __post_init__(self) -> None:
        self.first_cold, colds = self._shared_out("cold")
        self.first_heavy, heavy = self._shared_out("heavy")
        sizes = {10 + i: BIG for i in range(1 + colds)}
        self.catalogue = Made(7, 30, 10 + len(sizes), big=sizes, huge=HUGE if self.want_huge else 0,
                              heavy=GROUP * heavy)
        bigs = [f for f in self.catalogue.files if f.size == BIG]
        self.warm_files = {
            "small": next(f for f in self.catalogue.files if f.size == SMALL),
            "big": bigs.pop()}
        self.warm_files["ranged"] = (self.catalogue.files[-1] if self.want_huge
                                     else self.warm_files["big"])
        self.cold_files = bigs
        wsus_upstream.REPLY_LIMIT = REPLY
        self.upstream = wsus_upstream.Upstream(self.catalogue, *self.pki.pair("upstream"))
        self.origin = self.upstream.url

    def _shared_out(self, what: str) -> tuple[dict[str, int], int]:
        """Where each job's begin, and how many there are."""
        first, total = {}, 0
        for job in self.works:
            first[job.name] = total
            total += getattr(job, what) * min(job.repetitions, self.repetitions)
        return first, total

    def cold(self, job, repetition: int, number: int = 0):
        return self.cold_files[self.first_cold[job.name] + job.cold * repetition + number]

    def heavy_group(self, job, repetition: int, number: int = 0) -> list[tuple[str, int]]:
        first = GROUP * (self.first_heavy[job.name] + job.heavy * repetition + number)
        return [r.key for r in self.catalogue.heavy[first:first + GROUP]]

    def light_keys(self) -> list[tuple[str, int]]:
        """What a downstream server asks for to know all files."""
        heavy = {r.key for r in self.catalogue.heavy}
        return [r.key for r in self.catalogue.of_kind("bundle", "leaf") if r.key not in heavy]

    def client_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.pki.ca)
        return context

    def digest(self, url: str, file) -> bytes:
        """SHA-1 of what is answered."""
        found = hashlib.sha1()
        with urllib.request.urlopen(url + file.path, context=self.client_context()) as answer:
            while piece := answer.read(1 << 20):
                found.update(piece)
        return found.digest()

    def part(self, url: str, file, first: int, end: int) -> tuple[int, bytes]:
        """Status and bytes of an answer to a range, at most a MiB more than asked."""
        asked = urllib.request.Request(url + file.path, headers={"Range": f"bytes={first}-{end - 1}"})
        with urllib.request.urlopen(asked, context=self.client_context()) as answer:
            return answer.status, answer.read(end - first + (1 << 20))

    def close(self) -> None:
        self.upstream.close()
