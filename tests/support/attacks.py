"""Signed files as attackers change or make them, each beside a neighbour that must pass. The
letters are those of the threat model (files, A1 to A9)."""
import base64
import struct
from pathlib import Path

import der
import installers
import lists
from lists import PE_AT, SECURITY

SECTIONS, SECTION = PE_AT + 24 + 240, 40


def grow_table(data: bytes, more: bytes) -> bytes:
    """CVE-2013-3900: the certificate table and its only entry are longer than what they hold."""
    at, size = struct.unpack_from("<II", data, PE_AT + SECURITY)
    out = bytearray(data + more)
    struct.pack_into("<I", out, PE_AT + SECURITY + 4, size + len(more))
    struct.pack_into("<I", out, at, size + len(more))
    return bytes(out)


def overlapping(image: bytes) -> bytes:
    """The second section has the bytes of the first."""
    out = bytearray(image)
    struct.pack_into("<I", out, SECTIONS + SECTION + 20,
                     struct.unpack_from("<I", out, SECTIONS + 20)[0])
    return bytes(out)


def few_directories(data: bytes) -> bytes:
    """NumberOfRvaAndSizes says that there is no certificate table, though there is."""
    out = bytearray(data)
    struct.pack_into("<I", out, PE_AT + 24 + 108, 4)
    return bytes(out)


def spoil_nested(data: bytes) -> bytes:
    """The signature inside of the first one is about another file; the first one is whole."""
    wanted = lists.image_digest(data, "sha256")
    out = bytearray(data)
    at = out.rindex(wanted)
    out[at] ^= 1
    return bytes(out)


def decoys(directory: Path, count: int) -> str:
    """Certificates that go by the root's name and have another key."""
    root = der.parse(der.certificate(directory / "root.pem")).parts[0].parts
    strange, text = der.certificate(directory / "stranger.pem"), ""
    for serial in range(count):
        other = der.parse(strange)
        fields = other.parts[0].parts
        fields[1].value = (0x10000 + serial).to_bytes(3, "big")
        fields[3], fields[5], fields[7] = root[3], root[5], root[7]
        text += ("-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(other.pack()).decode() +
                 "-----END CERTIFICATE-----\n")
    return text


def write(own, directory: Path) -> None:
    """own is signing.Authority, whose files are in the directory already."""
    read = lambda name: (directory / name).read_bytes()  # noqa: E731
    put = lambda name, data: (directory / name).write_bytes(data)  # noqa: E731
    good, cab, end = read("good.exe"), read("good.cab"), installers.end_of_archive()
    put("a1-room.exe", grow_table(good, b"\x90" * 8))
    put("a1-zeros.exe", grow_table(good, bytes(8)))
    put("a2-archive.exe", good + end)
    put("a2-archive.cab", cab + end)
    put("a2-script.exe", good + b"<script>run()</script>")
    put("a2-archive.cat", read("good.cat") + end)
    put("a4-moved.bin", overlapping(read("plain.exe")))
    own.sign("a4-moved.bin", "a4-overlap.exe", "code", "-h", "sha256", *own.stamp())
    put("a4-directories.exe", few_directories(good))
    put("a5-nested.exe", spoil_nested(read("dual.exe")))
    own.sign("plain.exe", "a3-named.exe", "named", "-h", "sha256", *own.stamp())
    own.sign("plain.exe", "a6-early.exe", "early", "-h", "sha256")
    own.sign("plain.exe", "a6-early-stamp.exe", "early", "-h", "sha256", *own.stamp())
    own.sign("plain.exe", "a6-future.exe", "early", "-h", "sha256", *own.stamp(1900000000))
    put("decoys-255.pem", decoys(directory, 255).encode())
    put("decoys-256.pem", decoys(directory, 256).encode())
    put("a6-use.exe", lists.stamp_image(directory, "200520184000Z", "code"))
    put("a6-other.exe", lists.stamp_image(directory, "200520184000Z", of=b"another signature"))
