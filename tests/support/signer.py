"""Cabinets of any size that are really signed, made without anything but openssl's command.

The signature is what Authenticode wants of a cabinet: PKCS #7 around SpcIndirectDataContent,
SHA-256, one signer below a root of this process. Content can be read at any offset, so that a
large file is never held. Keys are new in each process; a signature always has the same length.
"""
import atexit
import base64
import hashlib
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LEAST = 4096  # bytes of the smallest file that can be signed here
ROOT_NAME = "Content Test Root"
_OIDS = {
    "signed-data": "2a864886f70d010702", "content-type": "2a864886f70d010903",
    "message-digest": "2a864886f70d010904", "indirect-data": "2b060104018237020104",
    "cabinet": "2b060104018237020119", "image": "2b06010401823702010f", "sha256": "608648016503040201",
    "rsa": "2a864886f70d010101"}
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _oid(name: str) -> bytes:
    return tlv(6, bytes.fromhex(_OIDS[name]))


def _algorithm(name: str) -> bytes:
    return tlv(0x30, _oid(name), b"\x05\0")


def _children(der: bytes) -> list[bytes]:
    """The parts of a constructed value, each whole."""
    def head(at: int) -> tuple[int, int]:
        size = der[at + 1]
        if size < 128:
            return at + 2, at + 2 + size
        start = at + 2 + (size & 127)
        return start, start + int.from_bytes(der[at + 2:start], "big")

    at, end = head(0)
    parts = []
    while at < end:
        after = head(at)[1]
        parts.append(der[at:after])
        at = after
    return parts


def _number(der: bytes) -> int:
    return int.from_bytes(der[len(der) - _length(der):], "big")


def _length(der: bytes) -> int:
    return der[1] if der[1] < 128 else int.from_bytes(der[2:2 + (der[1] & 127)], "big")


def _openssl(*words: str | Path) -> bytes:
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True,
                          timeout=60).stdout


@dataclass
class Signer:
    """A root (pins, bundle: files for the configuration) and one signer below it."""

    directory: Path

    def __post_init__(self) -> None:
        for name in ("root", "code"):
            _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                     "-out", self.directory / f"{name}.key")
        self._certify()
        self.bundle = self.directory / "root.pem"
        self.pins = self.directory / "content.pins"
        self.pins.write_text(f'{self.pin("root")}  code-signing  "{ROOT_NAME}"\n')
        self._read_key()
        self._certificate = _openssl("x509", "-in", self.directory / "code.pem",
                                     "-outform", "DER")
        body = _children(_children(self._certificate)[0])
        self._issuer_and_serial = tlv(0x30, body[3], body[1])
        self.length = len(self.sign(bytes(32)))

    def _certify(self) -> None:
        at = self.directory
        config = at / "openssl.cnf"
        config.write_text(
            "[req]\ndistinguished_name = dn\n[dn]\n[root]\nbasicConstraints = critical, CA:true\n"
            "keyUsage = critical, keyCertSign, cRLSign\n[code]\n"
            "keyUsage = critical, digitalSignature\nextendedKeyUsage = codeSigning\n")
        _openssl("req", "-new", "-x509", "-config", config, "-extensions", "root", "-key",
                 at / "root.key", "-subj", f"/CN={ROOT_NAME}", "-days", "3650",
                 "-out", at / "root.pem")
        _openssl("req", "-new", "-config", config, "-key", at / "code.key", "-subj",
                 "/CN=Content Test Signer", "-out", at / "code.csr")
        _openssl("x509", "-req", "-in", at / "code.csr", "-CA", at / "root.pem", "-CAkey",
                 at / "root.key", "-set_serial", "2", "-days", "3650", "-extfile", config,
                 "-extensions", "code", "-out", at / "code.pem")

    def pin(self, name: str) -> str:
        key = _openssl("pkey", "-in", self.directory / f"{name}.key", "-pubout",
                       "-outform", "DER")
        return "sha256//" + base64.b64encode(hashlib.sha256(key).digest()).decode()

    def revocation_list(self, since: str) -> Path:
        """A list of the root on which the signer stands; since is as YYMMDDHHMMSSZ."""
        at = self.directory
        (at / "index.txt").write_text(
            f"R\t400101000000Z\t{since}\t02\tunknown\t/CN=Content Test Signer\n")
        (at / "ca.cnf").write_text(f"[ca]\ndefault_ca = own\n[own]\ndatabase = {at}/index.txt\n"
                                   "default_md = sha256\ndefault_crl_days = 30\n")
        _openssl("ca", "-config", at / "ca.cnf", "-gencrl", "-cert", at / "root.pem", "-keyfile",
                 at / "root.key", "-out", at / "root.crl")
        return at / "root.crl"

    def _read_key(self) -> None:
        """RFC 8017 A.1.2: version, n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p."""
        der = _openssl("rsa", "-in", self.directory / "code.key", "-traditional", "-outform",
                       "DER")
        numbers = [_number(part) for part in _children(der)]
        self._p, self._q, self._dp, self._dq, self._inverse = numbers[4:9]
        self._width = (numbers[1].bit_length() + 7) // 8

    def _rsa(self, digest: bytes) -> bytes:
        """PKCS #1 v1.5, RFC 8017 9.2 and 5.2.1."""
        info = _SHA256_INFO + digest
        padded = b"\0\1" + b"\xff" * (self._width - len(info) - 3) + b"\0" + info
        message = int.from_bytes(padded, "big")
        one, two = pow(message, self._dp, self._p), pow(message, self._dq, self._q)
        value = two + (one - two) * self._inverse % self._p * self._q
        return value.to_bytes(self._width, "big")

    def sign(self, digest: bytes) -> bytes:
        """The signature of a cabinet with this digest."""
        return self._sign(tlv(0x30, _oid("cabinet"), tlv(0xa2, tlv(0x80))), digest)

    def sign_image(self, digest: bytes) -> bytes:
        """The same of a PE image: SpcPeImageData without page hashes."""
        data = tlv(0x30, tlv(3, b"\0"), tlv(0xa0, tlv(0xa2, tlv(0x80))))
        return self._sign(tlv(0x30, _oid("image"), data), digest)

    def _sign(self, data: bytes, digest: bytes) -> bytes:
        content = data + tlv(0x30, _algorithm("sha256"), tlv(4, digest))
        attributes = b"".join((
            tlv(0x30, _oid("content-type"), tlv(0x31, _oid("indirect-data"))),
            tlv(0x30, _oid("message-digest"), tlv(0x31, tlv(4, hashlib.sha256(content).digest())))))
        value = self._rsa(hashlib.sha256(tlv(0x31, attributes)).digest())
        info = tlv(0x30, b"\2\1\1", self._issuer_and_serial, _algorithm("sha256"),
                   tlv(0xa0, attributes), _algorithm("rsa"), tlv(4, value))
        signed = tlv(0x30, b"\2\1\1", tlv(0x31, _algorithm("sha256")),
                     tlv(0x30, _oid("indirect-data"), tlv(0xa0, tlv(0x30, content))),
                     tlv(0xa0, self._certificate), tlv(0x31, info))
        return tlv(0x30, _oid("signed-data"), tlv(0xa0, signed))

    def head(self, size: int) -> bytes:
        """[MS-CAB] 2.1: CFHEADER with the reserve of a signature, one folder, one file."""
        end, name = size - self.length, b"content\0"
        folder = 60
        data = folder + 8 + 16 + len(name)
        return (struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, end, 0, folder + 8, 0, 3, 1, 1, 1,
                            4, 0, 0)
                + struct.pack("<IIIII", 20, 0x100000, end, self.length, 0) + bytes(4)
                + struct.pack("<IHH", data, 1, 0)
                + struct.pack("<IIHHHH", end - data - 8, 0, 0, 0, 0, 0) + name)

    def overlay(self, size: int, pieces) -> dict[int, bytes]:
        """What has to stand where in a file of this size, so that it is a signed cabinet;
        pieces(first, end) gives all other bytes."""
        head, end = self.head(size), size - self.length
        digest = hashlib.sha256(head[:4] + head[8:34] + head[56:])
        for part in pieces(len(head), end):
            digest.update(part)
        return {0: head, end: self.sign(digest.digest())}


@cache
def make() -> Signer:
    """One a process; its files are removed at the end."""
    work = Path(tempfile.mkdtemp(prefix="sallyport-signer-"))
    atexit.register(shutil.rmtree, work, ignore_errors=True)
    return Signer(work)
