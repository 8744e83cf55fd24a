"""A made-up offline catalogue in the shape of wsusscn2.cab: offline.py OUT.cab UPDATES.

index.xml and packageN.cab in an outer cabinet; package.xml first, fragments behind it. Nested
cabinets are LZX of several windows, with and without translated calls, and MSZIP. The same
numbers give the same bytes; everything about update i can be computed without reading anything.
"""
import base64
import hashlib
import struct
import sys
import uuid
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import lzx

SPACE = uuid.UUID("0d6c1a2e-98c4-4c0b-a8a2-5a2f6c9b1e77")
FIRST_REVISION = 300_000
NONE, MSZIP, LZX = 0, 1, 0x1503  # LZX with a window of 2 MiB
FRAGMENTS = (LZX, 0x1003, MSZIP, 0x0f03)  # of the cabinets of fragments, in turn
CALLS = 0x7fffffff  # every second LZX folder takes some letters for calls and translates them
BLOCK = 32768
PROCESSOR = '<b.Processor Architecture="9" />'
CREATED = "2026-01-13T10:00:00Z"


def update_id(i: int) -> uuid.UUID:
    return uuid.uuid5(SPACE, f"update {i}")


def number(i: int) -> int:
    return 200 + i % 7


def kb(i: int) -> str:
    return str(5_000_000 + i // 3)


def title(i: int) -> str:
    return f"2026-01 Cumulative Update {i} for Windows (KB{kb(i)}) – x64 修訂 訂"


def files(i: int) -> list[int]:
    """The files of update i, by number; every fifth is a bundle without any."""
    return [] if i % 5 == 4 else [i * 2, i * 2 + 1]


def sha1(f: int) -> bytes:
    return hashlib.sha1(b"file %d" % f).digest()


def sha256(f: int) -> bytes:
    return hashlib.sha256(b"file %d" % f).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url(f: int) -> str:
    return ("http://download.windowsupdate.com/c/msdownload/update/software/secu/2026/01/"
            f"windows-kb{f}_{sha1(f).hex()}.cab")


# ---- documents ------------------------------------------------------------------------


def _update(i: int) -> str:
    before = "".join(f'<UpdateId Id="{update_id(i // n)}" />' for n in (2, 3, 5, 7))
    payload = "".join(f'<File Id="{b64(sha1(f))}" />' for f in files(i))
    return (f'<Update UpdateId="{update_id(i)}" RevisionNumber="{number(i)}" '
            f'RevisionId="{FIRST_REVISION + i}" CreationDate="2026-01-13T09:00:00Z" '
            f'DefaultLanguage="en" IsLeaf="{str(bool(files(i))).lower()}" '
            f'DeploymentAction="{"Bundle" if files(i) else "Evaluate"}"><Categories>'
            '<Category Type="Company" Id="56309036-4c77-4dd9-951a-99ee9c246a94" />'
            '<Category Type="UpdateClassification" Id="0fa1201d-4330-4fa8-8ae9-b877473b6441" />'
            '</Categories><Languages><Language Name="en" /></Languages>'
            f"<Prerequisites>{before}<Or>{before}</Or></Prerequisites>"
            f"<PayloadFiles>{payload}</PayloadFiles>"
            f'<SupersededBy><Revision Id="{FIRST_REVISION + i + 1}" /></SupersededBy></Update>\n')


def package_xml(updates: int, created: str = CREATED) -> Iterator[bytes]:
    yield (b'<?xml version="1.0" encoding="utf-8"?>\n<OfflineSyncPackage '
           b'xmlns="http://schemas.microsoft.com/msus/2004/02/OfflineSync" '
           b'MinimumClientVersion="5.8.0.2678" ProtocolVersion="1.0" PackageVersion="1.1" '
           b'PackageId="77777777-8888-4999-8aaa-bbbbbbbbbbbb" '
           b'SourceId="802cb907-a558-4033-9844-bbf65cd3481e" CreationDate="%s">\n<Updates>\n'
           % created.encode())
    for i in range(updates):
        yield _update(i).encode()
    yield b"</Updates>\n<FileLocations>\n"
    for i in range(updates):
        for f in files(i):
            yield f'<FileLocation Id="{b64(sha1(f))}" Url="{url(f)}" />\n'.encode()
    yield b"</FileLocations>\n</OfflineSyncPackage>\n"


def extended(i: int) -> bytes:
    declared = "".join(
        f'<File Digest="{b64(sha1(f))}" DigestAlgorithm="SHA1" FileName="windows-kb{f}.cab" '
        f'Size="{f + 1000}"><AdditionalDigest Algorithm="SHA256">{b64(sha256(f))}'
        "</AdditionalDigest></File>" for f in files(i))
    return ('<ExtendedProperties DefaultPropertiesLanguage="en" Handler="http://schemas.microsoft'
            '.com/msus/2002/12/UpdateHandlers/Cbs" MsrcSeverity="Critical">'
            f"<KBArticleID>{kb(i)}</KBArticleID></ExtendedProperties><Files>{declared}</Files>"
            f'<HandlerSpecificData type="cbs"><CbsData>{"x" * 300}</CbsData>'
            "</HandlerSpecificData>").encode()


def localized(i: int) -> bytes:
    return (f"<LocalizedProperties><Language>en</Language><Title>{title(i)}</Title>"
            f"<Description>{'Install this update. ' * 12}</Description>"
            "</LocalizedProperties>").encode()


def core(i: int) -> bytes:
    return (f'<UpdateIdentity UpdateID="{update_id(i)}" RevisionNumber="{number(i)}" />'
            '<Properties UpdateType="Software" /><ApplicabilityRules><IsInstalled>'
            f"{PROCESSOR * 10}</IsInstalled>"
            "</ApplicabilityRules>").encode()


def fragments(first: int, end: int) -> Iterator[tuple[str, bytes]]:
    for i in range(first, end):
        revision = FIRST_REVISION + i
        yield f"c/{revision}", core(i)
        yield f"x/{revision}", extended(i)
        yield f"l/en/{revision}", localized(i)


def index_xml(starts: list[int]) -> bytes:
    rows = "".join(f'<CAB NAME="package{n}.cab" RANGESTART="{start}" />'
                   for n, start in enumerate(starts, 2))
    return ('<?xml version="1.0" encoding="utf-8"?>\n<root><CABLIST><CAB NAME="package.cab" />'
            f"{rows}</CABLIST></root>\n").encode()


# ---- cabinets, [MS-CAB] 2 --------------------------------------------------------------


def _mszip(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    history = b""
    for block in blocks:
        deflate = (zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, history)
                   if history else zlib.compressobj(1, zlib.DEFLATED, -15, 9))
        history = block
        yield b"CK" + deflate.compress(block) + deflate.flush(), len(block)


def _packed(kind: int, calls: int, blocks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """(packed, plain size) of each block of one folder."""
    if kind == NONE:
        return ((block, len(block)) for block in blocks)
    if kind == MSZIP:
        return _mszip(blocks)
    return lzx.Packer(kind >> 8, calls).pack(blocks)


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """parts, cut anew into blocks."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= BLOCK:
            yield bytes(waiting[:BLOCK])
            del waiting[:BLOCK]
    if waiting:
        yield bytes(waiting)


def write_cabinet(out: BinaryIO, members: list[tuple[str, int]], parts: Iterable[bytes],
                  kind: int, calls: int = 0) -> None:
    """One folder with the members (name, size), whose bytes come in parts; calls: see lzx."""
    names = b"".join(struct.pack("<IIHHHH", size, at, 0, 0x5c2d, 0x5000, 0x20) + name.encode()
                     + b"\0" for (name, size), at in zip(members, _offsets(members)))
    total = sum(size for _, size in members)
    data_at = 36 + 8 + len(names)
    out.write(bytes(44) + names)
    frames, size = 0, 0
    for packed, plain in _packed(kind, calls, _pieces(parts)):
        out.write(struct.pack("<IHH", 0, len(packed), plain) + packed)
        frames, size = frames + 1, size + plain
    if size != total:
        raise ValueError(f"{total} bytes were promised, {size} came")
    end = out.tell()
    out.seek(0)
    out.write(struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, end, 0, 44, 0, 3, 1, 1, len(members),
                          0, 0, 0) + struct.pack("<IHH", data_at, frames, kind))
    out.seek(end)


def _offsets(members: list[tuple[str, int]]) -> Iterator[int]:
    at = 0
    for _, size in members:
        yield at
        at += size


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            yield part


def write(path: Path, updates: int, created: str = CREATED, a_cabinet: int = 15_000) -> None:
    """The whole catalogue, unsigned; a_cabinet: how many updates a cabinet of fragments has."""
    scratch = path.with_suffix(".parts")
    scratch.mkdir()
    inner = [scratch / "package.cab"]
    size = sum(map(len, package_xml(updates, created)))
    with inner[0].open("wb") as out:
        write_cabinet(out, [("package.xml", size)], package_xml(updates, created), LZX)
    starts = list(range(0, updates, a_cabinet))
    for n, start in enumerate(starts, 2):
        end = min(start + a_cabinet, updates)
        inner.append(scratch / f"package{n}.cab")
        with inner[-1].open("wb") as out:
            write_cabinet(out, [(name, len(text)) for name, text in fragments(start, end)],
                          (text for _, text in fragments(start, end)),
                          FRAGMENTS[(n - 2) % len(FRAGMENTS)], CALLS * (n % 2))
    index = index_xml([FIRST_REVISION * (n > 0) + start for n, start in enumerate(starts)])
    members = [("index.xml", len(index))] + [(x.name, x.stat().st_size) for x in inner]
    with path.open("wb") as out:
        write_cabinet(out, members,
                      (part for source in ([index], *map(_read, inner)) for part in source),
                      NONE)
    for part in inner:
        part.unlink()
    scratch.rmdir()


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
