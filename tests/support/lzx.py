"""A writer of LZX as cabinets have it, [MS-PATCH] 2: matches all over the window, repeated
offsets, verbatim, aligned and uncompressed blocks over several frames, translation of x86 calls.

Made to use every part of the format, and fast enough for hundreds of MB; not to pack best. A
block's kind follows from its number, so that all kinds follow each other.
"""
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate

FRAME = 32768
FRAMES_A_BLOCK = 4
VERBATIM, ALIGNED, UNCOMPRESSED = 1, 2, 3
KINDS = (VERBATIM, ALIGNED, VERBATIM, UNCOMPRESSED, ALIGNED)
LONGEST = 257
LENGTHS = 249
SLOTS = {15: 30, 16: 32, 17: 34, 18: 36, 19: 38, 20: 42, 21: 50}
EXTRA = [0 if slot < 4 else min(slot // 2 - 1, 17) for slot in range(51)]
BASE = [0, *accumulate(1 << bits for bits in EXTRA)]


def slot_of(offset: int) -> int:
    """The position slot of a formatted offset."""
    if offset < 4:
        return offset
    if offset >= 1 << 19:
        return 34 + (offset >> 17)
    high = offset.bit_length() - 1
    return 2 * high + (offset >> (high - 1) & 1)


# ---- bits and codes --------------------------------------------------------------------


class Bits:
    """Words of 16 bits, low byte first, each filled from the top."""

    def __init__(self) -> None:
        self.out, self.value, self.count = bytearray(), 0, 0

    def put(self, value: int, count: int) -> None:
        self.value = self.value << count | value
        self.count += count
        while self.count >= 16:
            self.count -= 16
            self.out += (self.value >> self.count & 0xffff).to_bytes(2, "little")
            self.value &= (1 << self.count) - 1

    def finish(self) -> bytes:
        if self.count:
            self.put(0, 16 - self.count)
        return bytes(self.out)


def code_lengths(counts: Counter, symbols: int, longest: int) -> list[int]:
    """Of a Huffman code without a hole in it: two symbols at least, where there is one."""
    lengths = [0] * symbols
    if not counts:
        return lengths
    counts = Counter(counts)
    for symbol in (0, 1):
        if len(counts) < 2:
            counts.setdefault(symbol, 1)
    while True:
        heap = [(n, symbol, (symbol,)) for symbol, n in counts.items()]
        heapq.heapify(heap)
        depth = dict.fromkeys(counts, 0)
        while len(heap) > 1:
            a, b = heapq.heappop(heap), heapq.heappop(heap)
            for symbol in a[2] + b[2]:
                depth[symbol] += 1
            heapq.heappush(heap, (a[0] + b[0], a[1], a[2] + b[2]))
        if max(depth.values()) <= longest:
            break
        counts = Counter({symbol: n // 2 + 1 for symbol, n in counts.items()})
    for symbol, bits in depth.items():
        lengths[symbol] = bits
    return lengths


def codes(lengths: list[int]) -> list[tuple[int, int]]:
    """(code, bits) of each symbol: shorter ones first, then by number."""
    out, code, last = [(0, 0)] * len(lengths), 0, 0
    for bits, symbol in sorted((n, s) for s, n in enumerate(lengths) if n):
        code <<= bits - last
        out[symbol], last = (code, bits), bits
        code += 1
    return out


def _runs(old: list[int], new: list[int]) -> Iterator[tuple[int, int, int, int]]:
    """(symbol, extra, bits of extra, symbol behind it or -1) of a tree against the last one."""
    at = 0
    while at < len(new):
        run = 1
        while at + run < len(new) and new[at + run] == new[at] and run < 51:
            run += 1
        delta = (old[at] - new[at]) % 17
        if new[at] == 0 and run >= 20:
            yield 18, run - 20, 5, -1
        elif new[at] == 0 and run >= 4:
            run = min(run, 19)
            yield 17, run - 4, 4, -1
        elif run >= 4:
            run = min(run, 5)
            yield 19, run - 4, 1, delta
        else:
            run = 1
            yield delta, 0, 0, -1
        at += run


def put_tree(bits: Bits, old: list[int], new: list[int]) -> None:
    runs = list(_runs(old, new))
    counts = Counter(symbol for run in runs for symbol in (run[0], run[3]) if symbol >= 0)
    lengths = code_lengths(counts, 20, 15)
    for length in lengths:
        bits.put(length, 4)
    table = codes(lengths)
    for symbol, extra, count, behind in runs:
        bits.put(*table[symbol])
        bits.put(extra, count)
        if behind >= 0:
            bits.put(*table[behind])


# ---- matches ---------------------------------------------------------------------------


def _same(data: bytearray, a: int, b: int, most: int) -> int:
    n = 0
    while n + 16 <= most and data[a + n:a + n + 16] == data[b + n:b + n + 16]:
        n += 16
    while n < most and data[a + n] == data[b + n]:
        n += 1
    return n


class Matcher:
    """Finds what stood before. Keeps twice the window; positions count from the beginning."""

    def __init__(self, window: int) -> None:
        self.window, self.data, self.base = window, bytearray(), 0
        self.seen: dict[bytes, int] = {}
        self.recent = [1, 1, 1]

    def frame(self, plain: bytes) -> list:
        """Literals as they are, matches as (symbol above the literals, length footer or -1,
        extra bits, their number)."""
        if len(self.data) > 2 * self.window:
            gone = len(self.data) - self.window
            del self.data[:gone]
            self.base += gone
            self.seen = {key: at for key, at in self.seen.items() if at >= self.base}
        at, tokens = len(self.data), []
        self.data += plain
        while at < len(self.data):
            offset, length = self._best(at, min(LONGEST, len(self.data) - at))
            for near in range(at, min(at + max(length, 1), at + 3)):
                self.seen[bytes(self.data[near:near + 4])] = self.base + near
            tokens.append(self._token(offset, length) if length else self.data[at])
            at += max(length, 1)
        return tokens

    def _best(self, at: int, most: int) -> tuple[int, int]:
        best = (0, 0)
        for offset in self.recent:
            if most >= 3 and offset <= at and self.base + at >= offset:
                n = _same(self.data, at - offset, at, most)
                if n >= 3 and n > best[1]:
                    best = (offset, n)
        found = self.seen.get(bytes(self.data[at:at + 4])) if most >= 5 else None
        if found is not None and found >= self.base:
            offset = self.base + at - found
            n = _same(self.data, found - self.base, at, most)
            if n >= 5 and n > best[1] + 1 and offset <= self.window - 3:
                best = (offset, n)
        return best

    def _token(self, offset: int, length: int) -> tuple[int, int, int, int]:
        if offset in self.recent:
            formatted = self.recent.index(offset)
            self.recent[formatted], self.recent[0] = self.recent[0], offset
        else:
            formatted = offset + 2
            self.recent = [offset, *self.recent[:2]]
        slot, rest = slot_of(formatted), length - 2
        return (slot << 3 | min(rest, 7), rest - 7 if rest >= 7 else -1,
                formatted - BASE[slot], EXTRA[slot])


def translate(frame: bytes, at: int, size: int) -> bytes:
    """Targets of x86 calls as absolute numbers; the last ten bytes stay."""
    out, i = bytearray(frame), 0
    while len(frame) > 10 and 0 <= (i := out.find(0xe8, i, len(frame) - 10)):
        target = int.from_bytes(out[i + 1:i + 5], "little", signed=True)
        here = at + i
        if -here <= target < size:
            target += here if target < size - here else -size
            out[i + 1:i + 5] = target.to_bytes(4, "little", signed=True)
        i += 5
    return bytes(out)


# ---- blocks ----------------------------------------------------------------------------


class Packer:
    """Frames of one folder. calls: the size that x86 calls are translated with, 0: not."""

    def __init__(self, window_bits: int = 21, calls: int = 0) -> None:
        self.calls, self.done, self.blocks = calls, 0, 0
        self.slots = SLOTS[window_bits]
        self.matcher = Matcher(1 << window_bits)
        self.main, self.long = [0] * (256 + 8 * self.slots), [0] * LENGTHS

    def pack(self, frames: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        """(packed, size of it plain) of each frame; all but the last have FRAME bytes."""
        waiting: list[bytes] = []
        for frame in frames:
            waiting.append(frame)
            if len(waiting) == FRAMES_A_BLOCK:
                yield from self._block(waiting)
                waiting = []
        if waiting:
            yield from self._block(waiting)

    def _block(self, frames: list[bytes]) -> Iterator[tuple[bytes, int]]:
        kind = KINDS[self.blocks % len(KINDS)]
        plain = []
        for frame in frames:
            plain.append(translate(frame, self.done, self.calls) if self.calls else frame)
            self.done += len(frame)
        if kind == UNCOMPRESSED:
            for frame in plain:
                yield self._stored(frame), len(frame)
            return
        tokens = [self.matcher.frame(frame) for frame in plain]
        bits = self._head(kind, sum(map(len, plain)))
        tables = self._trees(bits, kind, [t for part in tokens for t in part])
        for part, frame in zip(tokens, plain):
            self._tokens(bits, part, tables)
            yield bits.finish(), len(frame)
            bits = Bits()

    def _head(self, kind: int, size: int) -> Bits:
        bits = Bits()
        if self.blocks == 0:
            bits.put(1 if self.calls else 0, 1)
            if self.calls:
                bits.put(self.calls, 32)
        self.blocks += 1
        bits.put(kind, 3)
        bits.put(size, 24)
        return bits

    def _stored(self, frame: bytes) -> bytes:
        """A block of its own. Its bytes can be matched later."""
        recent = list(self.matcher.recent)
        self.matcher.frame(frame)
        self.matcher.recent = recent
        offsets = b"".join(n.to_bytes(4, "little") for n in recent)
        return self._head(UNCOMPRESSED, len(frame)).finish() + offsets + frame + bytes(
            len(frame) % 2)

    def _trees(self, bits: Bits, kind: int, tokens: list) -> tuple:
        matches = [t for t in tokens if not isinstance(t, int)]
        main = Counter(t if isinstance(t, int) else 256 + t[0] for t in tokens)
        low = Counter(t[2] & 7 for t in matches if t[3] >= 3)
        aligned = None
        if kind == ALIGNED:
            lengths = code_lengths(low or Counter({0: 1}), 8, 7)
            for length in lengths:
                bits.put(length, 3)
            aligned = codes(lengths)
        new = code_lengths(main, len(self.main), 16)
        put_tree(bits, self.main[:256], new[:256])
        put_tree(bits, self.main[256:], new[256:])
        long = code_lengths(Counter(t[1] for t in matches if t[1] >= 0), LENGTHS, 16)
        put_tree(bits, self.long, long)
        self.main, self.long = new, long
        return codes(new), codes(long), aligned

    def _tokens(self, bits: Bits, tokens: list, tables: tuple) -> None:
        main, long, aligned = tables
        for token in tokens:
            if isinstance(token, int):
                bits.put(*main[token])
                continue
            symbol, footer, extra, count = token
            bits.put(*main[256 + symbol])
            if footer >= 0:
                bits.put(*long[footer])
            if aligned and count >= 3:
                bits.put(extra >> 3, count - 3)
                bits.put(*aligned[extra & 7])
            else:
                bits.put(extra, count)
