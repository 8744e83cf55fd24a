"""Cabinets as WSUS wraps metadata documents in: one folder, one file "blob", UTF-16LE inside.

Writes and reads the folder types none and MSZIP; LZX, which real servers use, is left to the
recorded blobs of the corpus.
"""
import struct
import zlib
from functools import reduce
from operator import xor

BLOCK = 32768
NONE, MSZIP = 0, 1
_HEAD = struct.Struct("<4sIIIIIBBHHHHH")
_FOLDER = struct.Struct("<IHH")
_FILE = struct.Struct("<IIHHHH")
_DATA = struct.Struct("<IHH")


class CabinetError(ValueError):
    """A cabinet breaks its format."""


def checksum(data: bytes, seed: int = 0) -> int:
    """The CFDATA checksum: little-endian words, the last bytes in falling order."""
    whole = len(data) & ~3
    value = reduce(xor, struct.unpack(f"<{whole // 4}I", data[:whole]), seed)
    rest = 0
    for byte in data[whole:]:
        rest = rest << 8 | byte
    return value ^ rest


def _mszip_blocks(data: bytes) -> list[tuple[bytes, int]]:
    blocks, history = [], b""
    for start in range(0, len(data), BLOCK):
        part = data[start:start + BLOCK]
        pack = (zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, history)
                if history else zlib.compressobj(9, zlib.DEFLATED, -15, 9))
        blocks.append((b"CK" + pack.compress(part) + pack.flush(), len(part)))
        history = part
    return blocks


def write(data: bytes, kind: int = MSZIP, name: bytes = b"blob") -> bytes:
    """A cabinet around data, shaped like those of a real server except for the folder type."""
    if kind == MSZIP:
        blocks = _mszip_blocks(data)
    else:
        blocks = [(data[i:i + BLOCK], len(data[i:i + BLOCK])) for i in range(0, len(data), BLOCK)]
    first = _HEAD.size + _FOLDER.size + _FILE.size + len(name) + 1
    body = bytearray()
    for packed, size in blocks:
        sizes = struct.pack("<HH", len(packed), size)
        body += struct.pack("<I", checksum(sizes, checksum(packed))) + sizes + packed
    head = _HEAD.pack(b"MSCF", 0, first + len(body), 0, _HEAD.size + _FOLDER.size, 0,
                      3, 1, 1, 1, 0, 0, 0)
    folder = _FOLDER.pack(first, len(blocks), kind)
    file = _FILE.pack(len(data), 0, 0, 0, 0, 0) + name + b"\0"
    return head + folder + file + bytes(body)


def _unpack_block(packed: bytes, size: int, kind: int, history: bytes) -> bytes:
    if kind == NONE:
        return packed
    if packed[:2] != b"CK":
        raise CabinetError("MSZIP block without its mark")
    inflate = zlib.decompressobj(-15, zdict=history) if history else zlib.decompressobj(-15)
    try:
        return inflate.decompress(packed[2:], size + 1)
    except zlib.error as fault:
        raise CabinetError(f"MSZIP block: {fault}") from fault


def read(data: bytes) -> bytes:
    """The one file of a cabinet."""
    if len(data) < 60 or data[:4] != b"MSCF":
        raise CabinetError("not a cabinet")
    head = _HEAD.unpack_from(data)
    if head[2] != len(data) or head[8] != 1 or head[9] != 1 or head[10] != 0:
        raise CabinetError("not one folder with one file of the announced size")
    start, count, kind = _FOLDER.unpack_from(data, _HEAD.size)
    size = _FILE.unpack_from(data, head[4])[0]
    if kind not in (NONE, MSZIP):
        raise CabinetError(f"folder type {kind:#x} is not read here")
    out = bytearray()
    for _ in range(count):
        want, packed_size, plain_size = _DATA.unpack_from(data, start)
        packed = data[start + 8:start + 8 + packed_size]
        if len(packed) != packed_size:
            raise CabinetError("truncated")
        if want and want != checksum(data[start + 4:start + 8], checksum(packed)):
            raise CabinetError("wrong block checksum")
        plain = _unpack_block(packed, plain_size, kind, bytes(out[-BLOCK:]))
        if len(plain) != plain_size:
            raise CabinetError("block of another size than announced")
        out += plain
        start += 8 + packed_size
    if len(out) != size:
        raise CabinetError("file of another size than announced")
    return bytes(out)
