"""What all servers of a run stand before: one upstream, certificates, files warm and cold."""
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
    """cold files are asked for once a server; heavy revisions are in groups of fifty."""

    workers: int
    repetitions: int
    want_cold: int = 0        # files of 64 MiB for each repetition
    want_soap: bool = False
    want_huge: bool = False
    pki: object = field(default_factory=make)

    def __post_init__(self) -> None:
        colds = self.want_cold * self.repetitions
        sizes = {10 + i: BIG for i in range(1 + colds)}
        self.catalogue = Made(7, 30, 10 + len(sizes), big=sizes,
                              huge=HUGE if self.want_huge else 0,
                              heavy=GROUP * self.repetitions if self.want_soap else 0)
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

    def cold(self, index: int, repetition: int):
        return self.cold_files[self.want_cold * repetition + index]

    def light_keys(self) -> list[tuple[str, int]]:
        """What a downstream server asks for to know all files."""
        heavy = {r.key for r in self.catalogue.heavy}
        return [r.key for r in self.catalogue.of_kind("bundle", "leaf") if r.key not in heavy]

    def soap_group(self, repetition: int) -> list[tuple[str, int]]:
        return [r.key for r in self.catalogue.heavy[GROUP * repetition:GROUP * (repetition + 1)]]

    def client_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.pki.ca)
        return context

    def warm(self, url: str, times: int = 2) -> None:
        for file in {f.path: f for f in self.warm_files.values()}.values():
            for _ in range(times):
                with urllib.request.urlopen(url + file.path,
                                            context=self.client_context()) as answer:
                    while answer.read(1 << 20):
                        pass

    def close(self) -> None:
        self.upstream.close()
