"""DER as far as signatures of files need it: write, take apart, change, write again."""
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SEQ, SET, OCTETS, NULL, UTC = 0x30, 0x31, 0x04, 0x05, 0x17


@dataclass
class Node:
    """One element; constructed ones have parts, others a value."""

    tag: int
    value: bytes = b""
    parts: "list[Node]" = field(default_factory=list)

    def pack(self) -> bytes:
        return tlv(self.tag, *(p.pack() for p in self.parts)) if self.tag & 0x20 \
            else tlv(self.tag, self.value)


def tlv(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    out = bytearray((first * 40 + second,))
    for arc in rest:
        part = [arc & 0x7f]
        while arc := arc >> 7:
            part.insert(0, arc & 0x7f | 0x80)
        out += bytes(part)
    return tlv(6, bytes(out))


def head(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, where the content begins, where it ends."""
    size, begin = data[at + 1], at + 2
    if size & 0x80:
        begin += size & 0x7f
        size = int.from_bytes(data[at + 2:begin], "big")
    return data[at], begin, begin + size


def parse(data: bytes, at: int = 0) -> Node:
    tag, begin, end = head(data, at)
    node = Node(tag)
    if not tag & 0x20:
        node.value = data[begin:end]
        return node
    while begin < end:
        node.parts.append(parse(data, begin))
        begin = head(data, begin)[2]
    return node


def whole(data: bytes) -> bytes:
    """The element that data begins with, without what follows it."""
    return data[:head(data, 0)[2]]


def openssl(*words: str | Path, feed: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=feed, check=True,
                          capture_output=True, timeout=60).stdout


def certificate(pem: Path) -> bytes:
    return openssl("x509", "-in", pem, "-outform", "der")


def digest(data: bytes, name: str = "sha256") -> bytes:
    return openssl("dgst", f"-{name}", "-binary", feed=data)


DIGESTS = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SIGNING_TIME, COUNTERSIGNATURE = "1.2.840.113549.1.9.5", "1.2.840.113549.1.9.6"
RSA, DATA = "1.2.840.113549.1.1.1", "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"


def algorithm(name: str) -> bytes:
    return tlv(SEQ, oid(DIGESTS.get(name, name)), tlv(NULL))


def attribute(name: str, value: bytes) -> bytes:
    return tlv(SEQ, oid(name), tlv(SET, value))


def signer_info(pem: Path, key: Path, content: bytes, attributes: list[bytes],
                hash_name: str = "sha256") -> bytes:
    """RFC 2315 9.2; attributes go besides the digest of content."""
    fields = parse(certificate(pem)).parts[0].parts
    serial, issuer = fields[1].pack(), fields[3].pack()
    attributes = sorted([*attributes, attribute(MESSAGE_DIGEST,
                                                tlv(OCTETS, digest(content, hash_name)))])
    signed = b"".join(attributes)
    value = openssl("dgst", f"-{hash_name}", "-sign", key, feed=tlv(SET, signed))
    return tlv(SEQ, tlv(2, b"\1"), tlv(SEQ, issuer, serial), algorithm(hash_name),
               tlv(0xa0, signed), algorithm(RSA), tlv(OCTETS, value))


def signed_data(kind: str, content: bytes, pem: Path, key: Path,
                hash_name: str = "sha256") -> bytes:
    """A ContentInfo with one signer over a content that is a SEQUENCE."""
    inside = content[head(content, 0)[1]:]
    info = signer_info(pem, key, inside, [attribute(CONTENT_TYPE, oid(kind))], hash_name)
    return tlv(SEQ, oid(SIGNED_DATA), tlv(0xa0, tlv(
        SEQ, tlv(2, b"\1"), tlv(SET, algorithm(hash_name)),
        tlv(SEQ, oid(kind), tlv(0xa0, content)), tlv(0xa0, certificate(pem)),
        tlv(SET, info))))


def countersign(signature: bytes, pem: Path, key: Path, moment: str,
                hash_name: str = "sha256", of: bytes = b"") -> bytes:
    """PKCS #9 5.6: a time stamp on the first signer, with its certificate beside the others.
    moment is a UTCTime; of is what it is about, where that is not the signature."""
    top = parse(signature)
    data = top.parts[1].parts[0]
    certs = next(p for p in data.parts if p.tag == 0xa0)
    certs.parts.append(parse(certificate(pem)))
    signer = data.parts[-1].parts[0]
    value = next(p for p in reversed(signer.parts) if p.tag == OCTETS).value
    stamp = signer_info(pem, key, of or value, [
        attribute(CONTENT_TYPE, oid(DATA)),
        attribute(SIGNING_TIME, tlv(UTC, moment.encode()))], hash_name)
    signer.parts.append(parse(tlv(0xa1, attribute(COUNTERSIGNATURE, stamp))))
    return top.pack()
