"""Installer databases, signed and spoiled: installers.py DIR, which holds what signing.py wrote.

osslsigncode signs; it links storages wrongly when it writes them, so where there are storages its
signature is lifted into a file of our own. SPOILED names what each spoiled file is about."""
import array
import hashlib
import struct
import sys
from pathlib import Path
from typing import Callable

import compound
import der
from compound import END, FREE, Storage, View

SIGNATURE, NAMES = "\5DigitalSignature", "\5MsiDigitalSignatureEx"
INDIRECT = "1.3.6.1.4.1.311.2.1.4"
KIND = bytes.fromhex("f1100c0000000000c000000000000046")
CLASS = bytes.fromhex("84100c0000000000c000000000000046")


def flat() -> Storage:
    return Storage({"\5SummaryInformation": bytes(range(200)), "Cabinet": bytes(range(251)) * 21,
                    "Edge": b"e" * 4096, "Below": b"b" * 4095, "Empty": b"", "Unit": b"u" * 64,
                    "Sector": b"s" * 4608, "Name": b"n", "\u4840\u3f7f": b"table"}, CLASS)


def deep() -> Storage:
    root = flat()
    inner = Storage({"x": b"y" * 5000, "none": Storage()}, b"\1" * 16)
    root.entries["Part"] = Storage({"Text": b"inner" * 10, "Deep": inner}, b"\2" * 16, 7,
                                   b"\3" * 16)
    return root


def lift(signed: bytes, root: Storage) -> Storage:
    """root with the signature that a file with the same streams has."""
    view = View(signed)
    for i in range(view.count):
        if view.name(i) in (SIGNATURE, NAMES):
            root.entries[view.name(i)] = view.content(i)
    return root


def sign(own, directory: Path) -> None:
    """own is signing.Authority; the files that people may use."""
    (directory / "plain.msi").write_bytes(compound.write(flat()))
    (directory / "plain-deep.msi").write_bytes(compound.write(deep()))
    own.sign("plain.msi", "good.msi", "code", "-h", "sha256", "-add-msi-dse", *own.stamp())
    own.sign("plain.msi", "bare.msi", "code", "-h", "sha256")
    own.sign("plain.msi", "sha1.msi", "code", "-h", "sha1", *own.stamp())
    own.sign("sha1.msi", "dual.msi", "code", "-h", "sha256", "-nest", *own.stamp())
    own.sign("plain-deep.msi", "broken-deep.msi", "code", "-h", "sha256", "-add-msi-dse")
    signed = lift((directory / "broken-deep.msi").read_bytes(), deep())
    for name, how in LAYOUTS.items():
        (directory / f"{name}.msi").write_bytes(compound.write(signed, **how))


LAYOUTS: dict[str, dict[str, int | bool]] = {
    "deep": {}, "deep-large": {"shift": 12}, "deep-mixed": {"seed": 1, "spare": 3},
    "deep-lists": {"lists": True, "seed": 2}}


def stream(view: View, name: str) -> list[int]:
    """Sectors of a stream that is not in the mini stream."""
    return view.chain(view.word(view.find(name) + 116))


def spare(view: View) -> int:
    total = len(view.data) // view.sector - 1
    return next(i for i in range(total) if view.word(view.fat_at(i)) == FREE)


def circle(v: View) -> None:
    chain = stream(v, "Cabinet")
    v.put(v.fat_at(chain[-1]), chain[0])


def cross(v: View) -> None:
    v.put(v.find("Edge") + 116, stream(v, "Cabinet")[0])


def mini_cross(v: View) -> None:
    v.put(v.find("Unit") + 116, v.word(v.find("Below") + 116))


def short(v: View) -> None:
    v.put(v.fat_at(stream(v, "Cabinet")[-2]), END)


def outlong(v: View) -> None:
    chain, more = stream(v, "Cabinet"), spare(v)
    v.put(v.fat_at(chain[-1]), more)
    v.put(v.fat_at(more), END)


def leave(v: View) -> None:
    v.put(v.fat_at(stream(v, "Cabinet")[-1]), len(v.data) // v.sector)


def unmarked(v: View) -> None:
    v.put(v.fat_at(v.tables[0]), END)


def slack(v: View) -> None:
    v.data[v.sector_at(stream(v, "Cabinet")[-1]) + v.sector - 1] = 1


def mini_slack(v: View) -> None:
    first = v.word(v.find("\u4840\u3f7f") + 116)
    v.data[v.mini_at(first) + 63] = 1


def stain(v: View) -> None:
    v.data[v.sector_at(spare(v)) + 17] = 1


def orphan(v: View) -> None:
    v.put(v.fat_at(spare(v)), END)


def beyond(v: View) -> None:
    v.put(v.fat_at(len(v.data) // v.sector - 1), END)


def name_tail(v: View) -> None:
    v.data[v.find("Edge") + 63] = 1


def old_entry(v: View) -> None:
    v.data[v.find("") + 100] = 1


def header(v: View) -> None:
    v.data[9] = 1


def wrong_version(v: View) -> None:
    v.put(26, 4, 2)


def tree_circle(v: View) -> None:
    at = v.entry_at(v.word(v.entry_at(0) + 76))
    v.put(at + 72, v.word(v.entry_at(0) + 76))


def tree_leaves(v: View) -> None:
    v.put(v.entry_at(v.word(v.entry_at(0) + 76)) + 72, v.count)


def disorder(v: View) -> None:
    at = v.entry_at(v.word(v.entry_at(0) + 76))
    left, right = v.word(at + 68), v.word(at + 72)
    v.put(at + 68, right)
    v.put(at + 72, left)


def rename(v: View) -> None:
    at = v.find("Edge")
    v.data[at] = ord("D")


def later(v: View) -> None:
    v.data[v.find("Part") + 100] ^= 1


def other_class(v: View) -> None:
    v.data[v.find("Deep") + 80] ^= 1


def changed(v: View) -> None:
    v.data[v.sector_at(stream(v, "Cabinet")[0])] ^= 1


def many_tables(v: View) -> None:
    v.put(44, (16 << 20) // v.sector + 1)


def most_tables(v: View) -> None:
    v.put(44, (16 << 20) // v.sector)


SPOILED: tuple[Callable[[View], None], ...] = (
    circle, cross, mini_cross, short, outlong, leave, unmarked, slack, mini_slack, stain, orphan,
    beyond, name_tail, old_entry, header, wrong_version, tree_circle, tree_leaves, disorder,
    rename, later, other_class, changed, many_tables, most_tables)


def end_of_archive() -> bytes:
    return b"PK\5\6" + bytes(18)


def spoil(directory: Path) -> None:
    sound = (directory / "deep-mixed.msi").read_bytes()
    for change in SPOILED:
        view = View(sound)
        change(view)
        (directory / f"{change.__name__}.msi").write_bytes(view.data)
    for name, more in (("archive", end_of_archive()), ("archive-sector",
                       end_of_archive().rjust(512, b"\0")), ("blank", bytes(512)), ("odd", b"\0")):
        (directory / f"{name}.msi").write_bytes(sound + more)
    bare = View((directory / "bare.msi").read_bytes())
    rename(bare)
    (directory / "rename-bare.msi").write_bytes(bare.data)
    signed = View(sound).tree()
    for name, size in (("pieces", 20_000), ("many-pieces", 200_000)):
        long = der.parse(signed.entries[SIGNATURE])
        value = der.tlv(der.OCTETS, bytes(size))
        long.parts[1].parts[0].parts[-1].parts[0].parts.append(
            der.parse(der.tlv(0xa1, der.attribute("1.3.6.1.4.1.311.99", value))))
        tree = Storage({**signed.entries, SIGNATURE: long.pack()}, signed.clsid)
        (directory / f"{name}.msi").write_bytes(compound.write(tree, seed=5))
    for name, which, change in (
            ("padded", SIGNATURE, lambda x: x + b"x"), ("zeros", SIGNATURE, lambda x: x + bytes(8)),
            ("emptied", SIGNATURE, lambda _: b""), ("other-names", NAMES, lambda x: x[::-1]),
            ("long-names", NAMES, lambda x: x * 3)):
        tree = Storage({**signed.entries, which: change(signed.entries[which])}, signed.clsid)
        (directory / f"{name}.msi").write_bytes(compound.write(tree))


def large(path: Path, size: int, pem: Path, key: Path) -> None:
    """A signed database around a stream of so many zeros, which take no room on the disk."""
    sector, each = 4096, 1024
    count = size // sector
    tables = -(-(count + 3) // (each - 2)) + 1
    lists = -(-max(tables - compound.IN_HEADER, 0) // (each - 1))
    first = 3 + tables + lists
    digest = hashlib.sha256()
    for _ in range(size >> 20):
        digest.update(bytes(1 << 20))
    digest.update(CLASS)
    signature = der.signed_data(INDIRECT, indirect(digest.digest()), pem, key)
    mini = -(-len(signature) // compound.MINI)
    chain = [END, END, END] + [compound.FAT] * tables + [compound.DIFAT] * lists
    fat = array.array("I", chain)
    fat.extend(range(first + 1, first + count))
    fat.append(END)
    fat.extend([FREE] * (tables * each - len(fat)))
    entries = (compound.pack_entry("Root Entry", compound.ROOT, FREE, FREE, 1, CLASS, 0, bytes(16),
                                   2, mini * compound.MINI),
               compound.pack_entry("Large", compound.STREAM, FREE, 2, FREE, bytes(16), 0,
                                   bytes(16), first, size),
               compound.pack_entry(SIGNATURE, compound.STREAM, FREE, FREE, FREE, bytes(16), 0,
                                   bytes(16), 0, len(signature)))
    places = list(range(3, 3 + tables))
    head = compound.MARK + bytes(16) + struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3e, 4, 0xfffe, 12, 6, 1, tables, 0, 0, compound.CUTOFF, 1, 1,
        3 + tables if lists else END, lists)
    here = (places + [FREE] * compound.IN_HEADER)[:compound.IN_HEADER]
    with path.open("wb") as out:
        out.write((head + struct.pack(f"<{compound.IN_HEADER}I", *here)).ljust(sector, b"\0"))
        out.write(b"".join(entries).ljust(sector, b"\0"))
        out.write(struct.pack(f"<{mini}I", *range(1, mini), END).ljust(sector, b"\xff"))
        out.write(signature.ljust(sector, b"\0"))
        out.write(fat.tobytes())
        for n in range(lists):
            part = places[compound.IN_HEADER + n * (each - 1):][:each - 1]
            part += [FREE] * (each - 1 - len(part))
            part.append(4 + tables + n if n + 1 < lists else END)
            out.write(struct.pack(f"<{each}I", *part))
        out.truncate((first + 1 + count) * sector)


def indirect(digest: bytes) -> bytes:
    """[Authenticode_PE] SpcIndirectDataContent of an installer database."""
    zero = der.tlv(2, b"\0")
    info = der.tlv(der.SEQ, der.tlv(2, b"\1"), der.tlv(der.OCTETS, KIND), zero * 5)
    return der.tlv(der.SEQ, der.tlv(der.SEQ, der.oid("1.3.6.1.4.1.311.2.1.30"), info),
                   der.tlv(der.SEQ, der.algorithm("sha256"), der.tlv(der.OCTETS, digest)))


def crowd(directory: Path) -> None:
    """Directories as large as they may be, and by one sector larger."""
    for name, count in (("crowd", 32767), ("too-many", 32768)):
        root = Storage({f"{i:05}": b"" for i in range(count)})
        (directory / f"{name}.msi").write_bytes(compound.write(root))


if __name__ == "__main__":
    spoil(Path(sys.argv[1]))
    crowd(Path(sys.argv[1]))
