"""A verifier of transparency logs that shares nothing with the program, only the documents:
C2SP signed-note, tlog-checkpoint, tlog-tiles and tlog-proof, RFC 6962 and RFC 8032.

Everything that is wrong is a Broken with a sentence.
"""
import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

WIDTH = 256
HASH = 32


class Broken(Exception):
    """The log, the note or the proof is not what it should be."""


def require(condition: object, sentence: str) -> None:
    if not condition:
        raise Broken(sentence)


def unbase64(text: str, size: int) -> bytes:
    """Strict: one spelling only."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as wrong:
        raise Broken(f"{text!r} is no base64") from wrong
    require(base64.b64encode(data).decode() == text, f"{text!r} has stray bits")
    require(len(data) == size, f"{text!r} has {len(data)} bytes, not {size}")
    return data


# ---- Ed25519, RFC 8032 section 5.1 -------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(factor: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _x_of(y: int, is_odd: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and is_odd):
        return None
    return P - x if x & 1 != is_odd else x


def _point(data: bytes) -> Point | None:
    number = int.from_bytes(data, "little")
    y = number & (1 << 255) - 1
    x = _x_of(y, number >> 255) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


_BASE_Y = 4 * pow(5, -1, P) % P
BASE = _point(_BASE_Y.to_bytes(32, "little"))


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    a, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(public) != 32 or len(signature) != 64 or a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little")
    left, right = _multiply(s, BASE), _add(r, _multiply(k % ORDER, a))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


# ---- trees, RFC 6962 section 2.1 ---------------------------------------------------------------

def _encode(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _secret(seed: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(seed).digest()
    number = int.from_bytes(digest[:32], "little")
    return number & (1 << 254) - 8 | 1 << 254, digest[32:]


def ed25519_public(seed: bytes) -> bytes:
    return _encode(_multiply(_secret(seed)[0], BASE))


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    secret, prefix = _secret(seed)
    nonce = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % ORDER
    point = _encode(_multiply(nonce, BASE))
    digest = hashlib.sha512(point + ed25519_public(seed) + message).digest()
    k = int.from_bytes(digest, "little") % ORDER
    return point + ((nonce + k * secret) % ORDER).to_bytes(32, "little")


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def key_id(name: str, data: bytes) -> bytes:
    """data is the algorithm and the public key."""
    return hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two below count."""
    return 1 << (count - 1).bit_length() - 1


def root_of(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(root_of(leaves[:k]), root_of(leaves[k:]))


def prove_inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*prove_inclusion(index, leaves[:k]), root_of(leaves[k:])]
    return [*prove_inclusion(index - k, leaves[k:]), root_of(leaves[:k])]


def prove_consistency(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF: that the first old leaves are a prefix of these."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = _split(len(leaves))
    if old <= k:
        return [*prove_consistency(old, leaves[:k], whole), root_of(leaves[k:])]
    return [*prove_consistency(old - k, leaves[k:], False), root_of(leaves[:k])]


def root_of_proof(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root an inclusion proof leads to (RFC 9162 section 2.1.3.2)."""
    require(index < size, f"entry {index} of {size}")
    at, last, result = index, size - 1, leaf
    for sibling in proof:
        require(last, "the proof is too long")
        if at & 1 or at == last:
            result = node_hash(sibling, result)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        at, last = at >> 1, last >> 1
    require(last == 0, "the proof is too short")
    return result


def check_consistency(old: "Checkpoint", new: "Checkpoint", proof: list[bytes]) -> None:
    """RFC 9162 section 2.1.4.2, for trees that are not empty."""
    require(0 < old.size <= new.size, f"{old.size} entries before, {new.size} after")
    if old.size == new.size:
        require(old.root == new.root and not proof, "two trees of one size")
        return
    at, last = old.size - 1, new.size - 1
    path = list(proof) if old.size & old.size - 1 else [old.root, *proof]
    require(path, "the proof is empty")
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        require(last, "the proof is too long")
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    require(last == 0, "the proof is too short")
    require(first == old.root, "the old tree is no beginning of the new one")
    require(second == new.root, "the proof does not lead to the new root")


# ---- notes: C2SP signed-note and tlog-checkpoint -----------------------------------------------

@dataclass(frozen=True)
class Key:
    name: str
    id: bytes
    public: bytes


LOG, COSIGNER = 1, 4  # algorithms of keys


def key_of(text: str, algorithm: int = LOG) -> Key:
    """A verifier key: name+id+base64 of algorithm and key."""
    match = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+(\S+)", text.rstrip("\n"))
    require(match, f"{text!r} is no verifier key")
    data = unbase64(match[3], 33)
    require(data[0] == algorithm, f"a key of algorithm {data[0]}")
    made = hashlib.sha256(match[1].encode() + b"\n" + data).digest()[:4]
    require(made.hex() == match[2], "the key's id is not that of the key")
    return Key(match[1], made, data[1:])


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes


def open_checkpoint(note: bytes, key: Key) -> Checkpoint:
    text, gap, signatures = note.decode().rpartition("\n\n")
    require(gap and signatures.endswith("\n"), "no signed note")
    text += "\n"
    good = 0
    for line in signatures[:-1].split("\n"):
        match = re.fullmatch("— (\\S+) (\\S+)", line)
        require(match, f"{line!r} is no signature line")
        data = base64.b64decode(match[2], validate=True)
        if match[1] == key.name and data[:4] == key.id:
            require(ed25519_verify(key.public, text.encode(), data[4:]), "a wrong signature")
            good += 1
    require(good == 1, f"{good} signatures of {key.name}")
    lines = text[:-1].split("\n")
    require(len(lines) == 3 and lines[0] == key.name, "not a checkpoint of this log")
    require(re.fullmatch(r"0|[1-9]\d*", lines[1]), f"size {lines[1]!r}")
    return Checkpoint(lines[0], int(lines[1]), unbase64(lines[2], HASH))


def verifier_key(name: str, seed: bytes, algorithm: int = LOG) -> str:
    data = bytes([algorithm]) + ed25519_public(seed)
    return f"{name}+{key_id(name, data).hex()}+{base64_of(data)}"


def cosignature_times(note: bytes, key: Key) -> list[int]:
    """C2SP tlog-cosignature: when key cosigned the note; a wrong one is Broken."""
    text, _, signatures = note.decode().rpartition("\n\n")
    found = []
    for line in signatures[:-1].split("\n"):
        _, name, data = line.split(" ")
        raw = base64.b64decode(data, validate=True)
        if name == key.name and raw[:4] == key.id:
            require(len(raw) == 76, "a cosignature has 76 bytes")
            time = int.from_bytes(raw[4:12], "big")
            message = f"cosignature/v1\ntime {time}\n{text}\n".encode()
            require(ed25519_verify(key.public, message, raw[12:]), "a wrong cosignature")
            found.append(time)
    return found


# ---- proofs: C2SP tlog-proof -------------------------------------------------------------------

def check_proof(proof: bytes, entry: bytes, key: Key) -> tuple[int, Checkpoint]:
    """That entry is in a log of key: its index and the checkpoint that says so."""
    head, gap, note = proof.partition(b"\n\n")
    lines = head.decode().split("\n")
    require(gap and lines.pop(0) == "c2sp.org/tlog-proof@v1", "no tlog-proof")
    if lines and lines[0].startswith("extra "):
        base64.b64decode(lines.pop(0)[6:], validate=True)
    match = re.fullmatch(r"index (0|[1-9]\d*)", lines.pop(0) if lines else "")
    require(match, "the proof has no index")
    checkpoint = open_checkpoint(note, key)
    hashes = [unbase64(line, HASH) for line in lines]
    root = root_of_proof(leaf_hash(entry), int(match[1]), checkpoint.size, hashes)
    require(root == checkpoint.root, "the proof does not lead to the root")
    return int(match[1]), checkpoint


# ---- files: C2SP tlog-tiles --------------------------------------------------------------------

def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    groups = re.findall(r"\d{3}", str(number).zfill(-(-len(str(number)) // 3) * 3))
    path = "/".join([*(f"x{g}" for g in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def tiles(level: int | str, count: int) -> list[tuple[str, int]]:
    """Path and width of every tile of a level that has count hashes or entries."""
    full, rest = divmod(count, WIDTH)
    found = [(tile_path(level, n), WIDTH) for n in range(full)]
    return [*found, (tile_path(level, full, rest), rest)] if rest else found


def unbundle(data: bytes) -> list[bytes]:
    entries, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 2], "big")
        require(at + 2 + size <= len(data), "an entry is cut off")
        entries.append(data[at + 2:at + 2 + size])
        at += 2 + size
    return entries


class Log:
    """A log in a folder, read whole and checked from the entries up."""

    def __init__(self, folder: Path, key: Key) -> None:
        self.folder = folder
        self.checkpoint = open_checkpoint(self._read("checkpoint"), key)
        self.files = {"checkpoint"}
        self.entries: list[bytes] = []
        for path, width in tiles("entries", self.checkpoint.size):
            bundle = unbundle(self._tile(path))
            require(len(bundle) == width, f"{path} has {len(bundle)} entries")
            self.entries += bundle
        self.leaves = [leaf_hash(e) for e in self.entries]
        self._check_hashes()
        require(root_of(self.leaves) == self.checkpoint.root, "the root is of another tree")

    def _read(self, path: str) -> bytes:
        try:
            return Path(self.folder, path).read_bytes()
        except OSError as wrong:
            raise Broken(f"{path} cannot be read: {wrong}") from wrong

    def _tile(self, path: str) -> bytes:
        self.files.add(path)
        return self._read(path)

    def _check_hashes(self) -> None:
        """Each level is made of the full tiles of the level below it."""
        level, hashes = 0, self.leaves
        while hashes:
            for number, (path, width) in enumerate(tiles(level, len(hashes))):
                made = b"".join(hashes[number * WIDTH:number * WIDTH + width])
                require(self._tile(path) == made, f"{path} is not made of what it covers")
            hashes = [root_of(hashes[n:n + WIDTH])
                      for n in range(0, len(hashes) - WIDTH + 1, WIDTH)]
            level += 1
