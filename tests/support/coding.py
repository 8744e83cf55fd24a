"""Content codings of the WSUS services: gzip and xpress ([MS-WUSP] 2.1.1, [MS-XCA] plain LZ77).

An xpress body is a row of independent blocks: int32 original size, int32 stored size, payload.
A block whose two sizes are equal is stored as it is.
"""
import gzip
import struct

XPRESS_BLOCK = 16352  # original bytes a block, as Windows Server 2025 cuts them
WINDOW = 8192


class CodingError(ValueError):
    """A body breaks its coding."""


def _literal_block(data: bytes) -> bytes:
    out = bytearray()
    for start in range(0, len(data), 32):
        part = data[start:start + 32]
        free = 32 - len(part)
        out += struct.pack("<I", (1 << free) - 1) + part
    if len(data) % 32 == 0:
        out += b"\xff\xff\xff\xff"
    return bytes(out)


class _BlockWriter:
    """Writes literals and matches of one block; flags are collected most significant first."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.flags = 0
        self.bits = 0
        self.flags_at = 0
        self.nibble_at = -1
        self._open()

    def _open(self) -> None:
        self.flags_at = len(self.out)
        self.out += b"\0\0\0\0"
        self.flags = self.bits = 0

    def _flag(self, bit: int) -> None:
        if self.bits == 32:
            self._close(0)
            self._open()
        self.flags = self.flags << 1 | bit
        self.bits += 1

    def _close(self, fill: int) -> None:
        rest = 32 - self.bits
        value = self.flags << rest | (((1 << rest) - 1) if fill else 0)
        struct.pack_into("<I", self.out, self.flags_at, value)

    def literal(self, byte: int) -> None:
        self._flag(0)
        self.out.append(byte)

    def match(self, offset: int, length: int) -> None:
        self._flag(1)
        rest = length - 3
        self.out += struct.pack("<H", (offset - 1) << 3 | min(rest, 7))
        if rest < 7:
            return
        rest -= 7
        if self.nibble_at < 0:
            self.nibble_at = len(self.out)
            self.out.append(min(rest, 15))
        else:
            self.out[self.nibble_at] |= min(rest, 15) << 4
            self.nibble_at = -1
        if rest < 15:
            return
        rest -= 15
        if rest < 255:
            self.out.append(rest)
        else:
            self.out += b"\xff" + struct.pack("<H", rest + 15 + 7)

    def finish(self) -> bytes:
        if self.bits == 32:
            self._close(0)
            self._open()
        self._close(1)
        return bytes(self.out)


def _matched_block(data: bytes) -> bytes:
    writer, seen, at = _BlockWriter(), {}, 0
    while at < len(data):
        key = data[at:at + 3]
        before = seen.get(key, -1) if len(key) == 3 else -1
        seen[key] = at
        length = 0
        if before >= 0 and at - before <= WINDOW:
            while at + length < len(data) and data[before + length] == data[at + length]:
                length += 1
        if length < 3:
            writer.literal(data[at])
            at += 1
            continue
        writer.match(at - before, length)
        at += length
    return writer.finish()


def xpress_encode(data: bytes, matches: bool = True) -> bytes:
    """Codes data; without matches only literals are written, which is quick and larger."""
    out = bytearray()
    for start in range(0, len(data), XPRESS_BLOCK):
        part = data[start:start + XPRESS_BLOCK]
        block = _matched_block(part) if matches else _literal_block(part)
        if len(block) == len(part):  # would be read as stored
            block = _literal_block(part)
        out += struct.pack("<ii", len(part), len(block)) + block
    return bytes(out)


def _xpress_length(data: bytes, at: int, half: int) -> tuple[int, int, int]:
    """The part of a match length behind its 3 bits: (length - 7, next position, half)."""
    if half < 0:
        half, length = at, data[at] & 15
        at += 1
    else:
        length, half = data[half] >> 4, -1
    if length == 15:
        length = data[at]
        at += 1
        if length == 255:
            length = struct.unpack_from("<H", data, at)[0]
            at += 2
            if length < 15 + 7:
                raise CodingError("xpress: bad long match length")
            length -= 15 + 7
        length += 15
    return length, at, half


def _xpress_block(data: bytes, original: int) -> bytes:
    out, at, half, left, flags = bytearray(), 0, -1, 0, 0
    while True:
        if left == 0:
            flags = struct.unpack_from("<I", data, at)[0]
            at, left = at + 4, 32
        left -= 1
        if not flags >> left & 1:
            if len(out) >= original:
                raise CodingError("xpress: more bytes than announced")
            out.append(data[at])
            at += 1
            continue
        if at == len(data):
            break
        token = struct.unpack_from("<H", data, at)[0]
        at += 2
        length, offset = token & 7, (token >> 3) + 1
        if length == 7:
            more, at, half = _xpress_length(data, at, half)
            length += more
        length += 3
        if offset > len(out) or length > original - len(out):
            raise CodingError("xpress: match outside of the block")
        for _ in range(length):
            out.append(out[-offset])
    if len(out) != original:
        raise CodingError("xpress: fewer bytes than announced")
    return bytes(out)


def xpress_decode(data: bytes) -> bytes:
    out, at = bytearray(), 0
    try:
        while at < len(data):
            original, stored = struct.unpack_from("<ii", data, at)
            at += 8
            if not (1 <= original <= 65535 and 1 <= stored <= 65535 and at + stored <= len(data)):
                raise CodingError("xpress: bad block sizes")
            block = data[at:at + stored]
            out += block if stored == original else _xpress_block(block, original)
            at += stored
    except (struct.error, IndexError) as fault:
        raise CodingError(f"xpress: truncated ({fault})") from fault
    return bytes(out)


def encode(coding: str, data: bytes) -> bytes:
    if coding == "gzip":
        return gzip.compress(data, 6, mtime=0)
    if coding == "xpress":
        return xpress_encode(data, matches=len(data) < 65536)
    if coding == "identity":
        return data
    raise CodingError(f"unknown coding {coding!r}")


def decode(coding: str, data: bytes) -> bytes:
    if coding in ("", "identity"):
        return data
    if coding == "gzip":
        try:
            return gzip.decompress(data)
        except (OSError, EOFError) as fault:
            raise CodingError(f"gzip: {fault}") from fault
    if coding == "xpress":
        return xpress_decode(data)
    raise CodingError(f"unknown coding {coding!r}")


def gzip_bomb(size: int) -> bytes:
    """A gzip body of size zero bytes, about a thousandth as long."""
    return gzip.compress(bytes(size), 9, mtime=0)


def xpress_bomb(size: int) -> bytes:
    """An xpress body of size blanks made of blocks of the greatest ratio."""
    writer = _BlockWriter()
    writer.literal(0x20)
    writer.match(1, 65534)
    block = writer.finish()
    framed = struct.pack("<ii", 65535, len(block)) + block
    return framed * (size // 65535)
