"""PE images with a version resource, written from [PE] and VS_VERSIONINFO, and signed."""
import hashlib
import struct


def _block(key: str, value: bytes = b"", children: bytes = b"", text: bool = True) -> bytes:
    head = key.encode("utf-16-le") + b"\0\0"
    head += bytes(-(6 + len(head)) % 4)
    body = head + value
    if children:
        body += bytes(-(6 + len(body)) % 4) + children
    count = len(value) // 2 if text else len(value)
    return struct.pack("<HHH", 6 + len(body), count, int(text)) + body


def _joined(blocks: list[bytes]) -> bytes:
    return b"".join(b + bytes(-len(b) % 4) for b in blocks)


def version(strings: dict[str, str]) -> bytes:
    made = [_block(k, v.encode("utf-16-le") + b"\0\0") for k, v in strings.items()]
    table = _block("040904b0", children=_joined(made))
    fixed = struct.pack("<13I", 0xfeef04bd, 0x10000, *[0] * 11)
    info = _block("StringFileInfo", children=_joined([table]))
    translation = _block("VarFileInfo", children=_block("Translation", struct.pack("<HH", 0x409,
                                                                                   1200), b"", False))
    return _block("VS_VERSION_INFO", fixed, _joined([translation, info]), False)


def resources(data: bytes, address: int) -> bytes:
    """Type 16, name 1, language 0x409; an icon's directory before it."""
    def directory(*entries: tuple[int, int]) -> bytes:
        return struct.pack("<IIHHHH", 0, 0, 0, 0, 0, len(entries)) + b"".join(
            struct.pack("<II", *e) for e in entries)
    deep = 1 << 31
    root = directory((3, deep | 32), (16, deep | 32))
    names, languages = directory((1, deep | 56)), directory((0x409, 80))
    entry = struct.pack("<IIII", address + 96, len(data), 1200, 0)
    return root + names + languages + entry + data


def image(strings: dict[str, str] | None) -> bytes:
    """The least that is a PE32+ image with code and, given strings, resources."""
    where = 0x2000
    rsrc = resources(version(strings), where) if strings is not None else b"\0" * 16
    size = len(rsrc) + -len(rsrc) % 0x200
    coff = struct.pack("<HHIIIHH", 0x8664, 2, 0, 0, 0, 240, 0x22)
    optional = struct.pack("<HBBIIIIIQ", 0x20b, 14, 0, 0x200, size, 0, 0x1000, 0x1000,
                           0x140000000)
    optional += struct.pack("<IIHHHHHHIIIIHH", 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, 0x10000, 0x400,
                            0, 3, 0)
    optional += struct.pack("<QQQQII", 1 << 20, 4096, 1 << 20, 4096, 0, 16) + bytes(16)
    optional += struct.pack("<II", where, len(rsrc)) if strings is not None else bytes(8)
    optional += bytes(13 * 8)
    table = b"".join(
        struct.pack("<8sIIIIIIHHI", name, length, at, length, raw, 0, 0, 0, 0, 0x60000020)
        for name, at, length, raw in ((b".text", 0x1000, 0x200, 0x400),
                                      (b".rsrc", where, size, 0x600)))
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + coff + optional + table
    return head.ljust(0x400, b"\0") + b"\xc3" * 0x200 + rsrc.ljust(size, b"\0")


def signed(plain: bytes, who) -> bytes:
    """With the signature of a signer.Signer in the certificate table."""
    at = 64 + 24
    checksum, entry = at + 64, at + 112 + 4 * 8
    plain += bytes(-len(plain) % 8)
    digest = hashlib.sha256(plain[:checksum] + plain[checksum + 4:entry] + plain[entry + 8:])
    data = who.sign_image(digest.digest())
    certificate = struct.pack("<IHH", 8 + len(data), 0x200, 2) + data
    certificate += bytes(-len(certificate) % 8)
    return (plain[:entry] + struct.pack("<II", len(plain), len(certificate)) + plain[entry + 8:]
            + certificate)
