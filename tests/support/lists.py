"""Catalogues of files and PKCS #9 time stamps, which osslsigncode does not make."""
import hashlib
import struct
from pathlib import Path

import der
from der import OCTETS, SEQ, SET, UTC, attribute, oid, tlv

TRUST_LIST, FILE_LIST = "1.3.6.1.4.1.311.10.1", "1.3.6.1.4.1.311.12.1.1"
BY_NAME, BY_DIGEST = "1.3.6.1.4.1.311.12.1.2", "1.3.6.1.4.1.311.12.1.3"
INDIRECT, LINK, PE_IMAGE = ("1.3.6.1.4.1.311.2.1.4", "1.3.6.1.4.1.311.2.1.25",
                            "1.3.6.1.4.1.311.2.1.15")
SECURITY = 168  # of the certificate table's directory, from the PE header of signing.image()
PE_AT = 64


def image_digest(data: bytes, name: str) -> bytes:
    """What Authenticode covers of signing.image(), signed or not."""
    at, size = struct.unpack_from("<II", data, PE_AT + SECURITY)
    end = at if size else len(data)
    covered = data[:PE_AT + 88] + data[PE_AT + 92:PE_AT + SECURITY] + \
        data[PE_AT + SECURITY + 8:end]
    return hashlib.new(name, covered + bytes(-end % 8)).digest()


def member(digest: bytes, name: str, by_digest: bool, is_image: bool = False) -> bytes:
    what = tlv(SEQ, oid(PE_IMAGE if is_image else LINK), tlv(SEQ))
    indirect = tlv(SEQ, what, tlv(SEQ, der.algorithm(name), tlv(OCTETS, digest)))
    label = digest if by_digest else (digest.hex().upper() + "\0").encode("utf-16le")
    return tlv(SEQ, tlv(OCTETS, label), tlv(SET, attribute(INDIRECT, indirect)))


def bare_member(digest: bytes) -> bytes:
    """As newer catalogues have: the digest and nothing else."""
    return tlv(SEQ, tlv(OCTETS, digest))


def trust_list(members: list[bytes], by_digest: bool = True, usage: str = FILE_LIST) -> bytes:
    kind = oid(BY_DIGEST if by_digest else BY_NAME)
    return tlv(SEQ, tlv(SEQ, oid(usage)), tlv(OCTETS, bytes(16)), tlv(UTC, b"250615000000Z"),
               tlv(SEQ, kind, tlv(5)), tlv(SEQ, *members))


def write(directory: Path) -> None:
    """Catalogues over plain.exe, listed.inf and odd.exe of the directory, which signing.py
    filled; and files with PKCS #9 time stamps."""
    (directory / "listed.inf").write_bytes(b"; a file without a signature\r\n")
    (directory / "stranger.inf").write_bytes(b"; a file that nobody lists\r\n")
    odd = (directory / "plain.exe").read_bytes() + b"odd"
    (directory / "odd.exe").write_bytes(odd)
    flat = (directory / "listed.inf").read_bytes()
    images = [(directory / "plain.exe").read_bytes(), odd]

    def members(name: str, by_digest: bool) -> list[bytes]:
        return [member(hashlib.new(name, flat).digest(), name, by_digest),
                *(member(image_digest(i, name), name, by_digest, True) for i in images)]

    code = directory / "code.pem", directory / "code.key"
    strong = trust_list(members("sha1", True) + members("sha256", True))
    lists = {
        "good": der.signed_data(TRUST_LIST, strong, *code),
        "weak-list": der.signed_data(TRUST_LIST, trust_list(members("sha1", False), False), *code),
        "weak-signature": der.signed_data(TRUST_LIST, strong, *code, "sha1"),
        "bare": der.signed_data(TRUST_LIST, trust_list([
            bare_member(hashlib.sha256(flat).digest())]), *code),
        "names": der.signed_data(TRUST_LIST, trust_list([
            bare_member(hashlib.sha256(flat).digest())], False), *code),
        "roots": der.signed_data(TRUST_LIST, trust_list([], usage="1.3.6.1.4.1.311.10.3.9"),
                                 *code),
        "foreign": der.signed_data(TRUST_LIST, strong, directory / "foreign.pem",
                                   directory / "foreign.key"),
        "expired": der.signed_data(TRUST_LIST, strong, directory / "short.pem",
                                   directory / "short.key"),
    }
    lists["stamped"] = stamp(directory, lists["expired"], "200520184000Z")
    lists["late"] = stamp(directory, lists["expired"], "250615150640Z")
    lists["outside"] = der.countersign(lists["good"], directory / "short-stamp.pem",
                                       directory / "short-stamp.key", "250615150640Z")
    lists["wrong-use"] = der.countersign(lists["good"], *code, "250615150640Z")
    for name, data in lists.items():
        (directory / f"{name}.cat").write_bytes(data)
    changed = bytearray(lists["good"])
    changed[changed.index(hashlib.sha256(flat).digest())] ^= 1
    (directory / "changed.cat").write_bytes(changed)
    unsigned = der.parse(lists["good"])
    unsigned.parts[1].parts[0].parts[-1].parts.clear()
    (directory / "unsigned.cat").write_bytes(unsigned.pack())
    (directory / "nine.exe").write_bytes(stamp_image(directory, "200520184000Z"))
    (directory / "nine-late.exe").write_bytes(stamp_image(directory, "250615150640Z"))


def stamp(directory: Path, signature: bytes, moment: str, who: str = "stamp",
          of: bytes = b"") -> bytes:
    return der.countersign(signature, directory / f"{who}.pem", directory / f"{who}.key", moment,
                           of=of)


def stamp_image(directory: Path, moment: str, who: str = "stamp", of: bytes = b"") -> bytes:
    """expired.exe, whose signer ended in 2020, with a PKCS #9 time stamp."""
    data = bytearray((directory / "expired.exe").read_bytes())
    at = struct.unpack_from("<I", data, PE_AT + SECURITY)[0]
    signature = stamp(directory, der.whole(bytes(data[at + 8:])), moment, who, of)
    size = 8 + len(signature) + -len(signature) % 8
    struct.pack_into("<I", data, PE_AT + SECURITY + 4, size)
    return bytes(data[:at]) + struct.pack("<IHH", size, 0x200, 2) + signature.ljust(size - 8, b"\0")
