"""Compound files, [MS-CFB]: a writer with a layout to choose, and a reader that knows where
everything lies, so that tests can spoil single fields."""
import random
import struct
from dataclasses import dataclass, field

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FREE, END, FAT, DIFAT = 0xffffffff, 0xfffffffe, 0xfffffffd, 0xfffffffc
CUTOFF, MINI, ENTRY, IN_HEADER = 4096, 64, 128, 109
STORAGE, STREAM, ROOT = 1, 2, 5


@dataclass
class Storage:
    """What a storage holds: bytes are streams."""

    entries: dict[str, "bytes | Storage"] = field(default_factory=dict)
    clsid: bytes = bytes(16)
    state: int = 0
    times: bytes = bytes(16)


def order(name: str) -> tuple[int, list[int]]:
    """Where a name stands among its siblings; only the case of ASCII is folded."""
    units = struct.unpack(f"<{len(name)}H", name.encode("utf-16le"))
    return len(name), [u - 32 if 97 <= u <= 122 else u for u in units]


def pack_entry(name: str, kind: int, left: int, right: int, child: int, clsid: bytes, state: int,
               times: bytes, first: int, size: int) -> bytes:
    raw = name.encode("utf-16le") + b"\0\0"
    return (raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw), kind, 1, left, right, child) +
            clsid + struct.pack("<I", state) + times + struct.pack("<IQ", first, size))


class Writer:
    """Lays a tree out in sectors; with a seed they are shuffled, else they lie in order."""

    def __init__(self, root: Storage, shift: int = 9, seed: int | None = None,
                 spare: int = 0, lists: bool = False) -> None:
        self.sector = 1 << shift
        self.rows: list[list] = []
        self.mini, self.mini_fat = bytearray(), []
        self.pieces: list[list[bytes]] = []  # chains, each a list of sectors
        self.add(root, "Root Entry", ROOT)
        self.rows[0][8] = self.chain(bytes(self.mini))
        self.rows[0][9] = len(self.mini)
        self.directory = self.chain(b"\0" * (len(self.rows) * ENTRY))
        self.mini_table = self.chain(b"".join(struct.pack("<I", x) for x in self.mini_fat), b"\xff")
        self.spare, self.random = spare, random.Random(seed) if seed is not None else None
        self.lists, self.shift = lists, shift

    def chain(self, data: bytes, fill: bytes = b"\0") -> int:
        if not data:
            return -1
        size = -(-len(data) // self.sector) * self.sector
        data = data.ljust(size, fill)
        self.pieces.append([data[i:i + self.sector] for i in range(0, size, self.sector)])
        return len(self.pieces) - 1

    def add(self, what: "bytes | Storage", name: str, kind: int) -> int:
        row = len(self.rows)
        if isinstance(what, bytes):
            small = len(what) < CUTOFF
            first = (-1 if not what else self.add_mini(what) if small else self.chain(what))
            self.rows.append([name, STREAM, FREE, FREE, FREE, bytes(16), 0, bytes(16), first,
                              len(what), small])
            return row
        self.rows.append([name, kind, FREE, FREE, FREE, what.clsid, what.state, what.times, -1, 0,
                          False])
        names = sorted(what.entries, key=order)
        children = [self.add(what.entries[n], n, STORAGE) for n in names]
        self.rows[row][4] = self.tree(children)
        return row

    def tree(self, ids: list[int]) -> int:
        if not ids:
            return FREE
        middle = len(ids) // 2
        self.rows[ids[middle]][2] = self.tree(ids[:middle])
        self.rows[ids[middle]][3] = self.tree(ids[middle + 1:])
        return ids[middle]

    def add_mini(self, data: bytes) -> int:
        first, count = len(self.mini_fat), -(-len(data) // MINI)
        self.mini += data.ljust(count * MINI, b"\0")
        self.mini_fat += [*range(first + 1, first + count), END]
        return first

    def place(self) -> tuple[list[list[int]], list[int], list[int], int]:
        """Numbers of sectors for every chain, for the table and for its lists."""
        each, used = self.sector // 4, sum(map(len, self.pieces)) + self.spare
        tables = lists = 0
        while True:
            total = used + tables + lists
            need = max(-(-total // each), IN_HEADER + 1 if self.lists else 1)
            more = -(-max(need - IN_HEADER, 0) // (each - 1))
            if (need, more) == (tables, lists):
                break
            tables, lists = need, more
        numbers = list(range(total))
        if self.random:
            self.random.shuffle(numbers)
        take = iter(numbers)
        chains = [[next(take) for _ in chain] for chain in self.pieces]
        return (chains, [next(take) for _ in range(tables)], [next(take) for _ in range(lists)],
                total)

    def write(self) -> bytes:
        chains, tables, lists, total = self.place()
        sectors = [bytes(self.sector)] * total
        fat = [FREE] * (len(tables) * self.sector // 4)
        first = lambda i: chains[i][0] if i >= 0 else END  # noqa: E731
        rows = [pack_entry(*r[:8], (r[8] if r[8] >= 0 else END) if r[10] else first(r[8]), r[9])
                for r in self.rows]
        blank = bytes(68) + b"\xff" * 12 + bytes(48)
        room = len(chains[self.directory]) * self.sector // ENTRY
        raw = b"".join(rows) + blank * (room - len(rows))
        self.pieces[self.directory] = [raw[i:i + self.sector]
                                       for i in range(0, len(raw), self.sector)]
        for chain, data in zip(chains, self.pieces):
            for here, follow, piece in zip(chain, [*chain[1:], END], data):
                fat[here], sectors[here] = follow, piece
        for i in tables:
            fat[i] = FAT
        for i in lists:
            fat[i] = DIFAT
        for n, i in enumerate(tables):
            part = fat[n * self.sector // 4:(n + 1) * self.sector // 4]
            sectors[i] = struct.pack(f"<{len(part)}I", *part)
        each = self.sector // 4 - 1
        for n, i in enumerate(lists):
            part = tables[IN_HEADER + n * each:IN_HEADER + (n + 1) * each]
            part += [FREE] * (each - len(part)) + [lists[n + 1] if n + 1 < len(lists) else END]
            sectors[i] = struct.pack(f"<{each + 1}I", *part)
        here = (tables + [FREE] * IN_HEADER)[:IN_HEADER]
        four = self.shift > 9
        head = MARK + bytes(16) + struct.pack(
            "<HHHHH6xIIIIIIIII", 0x3e, 4 if four else 3, 0xfffe, self.shift, 6,
            len(chains[self.directory]) if four else 0, len(tables), chains[self.directory][0], 0,
            CUTOFF, first(self.mini_table),
            len(chains[self.mini_table]) if self.mini_table >= 0 else 0,
            lists[0] if lists else END, len(lists)) + struct.pack(f"<{IN_HEADER}I", *here)
        return head.ljust(self.sector, b"\0") + b"".join(sectors)


def write(root: Storage, shift: int = 9, seed: int | None = None, spare: int = 0,
          lists: bool = False) -> bytes:
    return Writer(root, shift, seed, spare, lists).write()


class View:
    """A compound file in a bytearray, and where its parts lie."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        shift, self.first_entry = self.word(30, 2), self.word(48)
        self.sector = 1 << shift
        places = [self.word(76 + 4 * i) for i in range(IN_HEADER)]
        at = self.word(68)
        while at < DIFAT:
            base = self.sector_at(at)
            places += [self.word(base + i) for i in range(0, self.sector - 4, 4)]
            at = self.word(base + self.sector - 4)
        self.tables = [p for p in places if p != FREE]
        self.directory = self.chain(self.first_entry)
        self.mini_table = self.chain(self.word(60))
        self.count = len(self.directory) * self.sector // ENTRY
        self.mini = self.chain(self.word(self.entry_at(0) + 116))

    def word(self, at: int, size: int = 4) -> int:
        return int.from_bytes(self.data[at:at + size], "little")

    def put(self, at: int, value: int, size: int = 4) -> None:
        self.data[at:at + size] = value.to_bytes(size, "little")

    def sector_at(self, i: int) -> int:
        return (i + 1) * self.sector

    def fat_at(self, i: int) -> int:
        each = self.sector // 4
        return self.sector_at(self.tables[i // each]) + i % each * 4

    def mini_fat_at(self, i: int) -> int:
        each = self.sector // 4
        return self.sector_at(self.mini_table[i // each]) + i % each * 4

    def mini_at(self, i: int) -> int:
        each = self.sector // MINI
        return self.sector_at(self.mini[i // each]) + i % each * MINI

    def chain(self, at: int) -> list[int]:
        found = []
        while at < DIFAT and len(found) < 1 << 20:
            found.append(at)
            at = self.word(self.fat_at(at))
        return found

    def entry_at(self, i: int) -> int:
        each = self.sector // ENTRY
        return self.sector_at(self.directory[i // each]) + i % each * ENTRY

    def name(self, i: int) -> str:
        at = self.entry_at(i)
        return self.data[at:at + max(self.word(at + 64, 2) - 2, 0)].decode("utf-16le")

    def find(self, name: str) -> int:
        """Offset of the entry of this name."""
        return next(self.entry_at(i) for i in range(self.count) if self.name(i) == name)

    def content(self, i: int) -> bytes:
        at = self.entry_at(i)
        first, size = self.word(at + 116), self.word(at + 120)
        out = bytearray()
        if size >= CUTOFF:
            for s in self.chain(first):
                out += self.data[self.sector_at(s):self.sector_at(s) + self.sector]
        while size and size < CUTOFF and first < DIFAT:
            out += self.data[self.mini_at(first):self.mini_at(first) + MINI]
            first = self.word(self.mini_fat_at(first))
        return bytes(out[:size])

    def tree(self, i: int = 0) -> Storage:
        """All of it, to be written anew in another layout."""
        at = self.entry_at(i)
        out = Storage({}, bytes(self.data[at + 80:at + 96]), self.word(at + 96),
                      bytes(self.data[at + 100:at + 116]))
        waiting = [self.word(at + 76)]
        while waiting:
            child = waiting.pop()
            if child == FREE:
                continue
            place = self.entry_at(child)
            waiting += [self.word(place + 68), self.word(place + 72)]
            kind = self.word(place + 66, 1)
            out.entries[self.name(child)] = (self.tree(child) if kind == STORAGE
                                             else self.content(child))
        return out
