"""Keys of a running daemon: in locked memory that no dump has, nowhere else; and one that a reload
replaced is nowhere at all."""
import base64
import os
import re
import subprocess
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from gate import Gate, is_sanitized, wait_until
from scene import Scene


def areas(pid: int):
    """(from, to, locked) of every area that can be written."""
    start = end = 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if head := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            start, end = int(head[1], 16), int(head[2], 16)
        elif line.startswith("VmFlags:") and " wr" in line:
            yield start, end, " lo" in line and " dd" in line


def found(pid: int, *keys: bytes) -> list[tuple[int, int]]:
    """How often each is in locked memory, and elsewhere."""
    counts = [[0, 0] for _ in keys]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end, locked in areas(pid):
            try:
                mem.seek(start)
                data = mem.read(end - start)
            except OSError:
                continue  # it went away meanwhile
            for count, key in zip(counts, keys):
                count[not locked] += data.count(key)
    return [tuple(c) for c in counts]


def number_of(path: str) -> bytes:
    """The private number of an EC key, lowest byte first, as OpenSSL holds it."""
    text = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"], check=True,
                          capture_output=True, text=True).stdout
    digits = re.search(r"priv:\s*((?:[0-9a-f]{2}:?\s*)+)", text)[1]
    return bytes.fromhex(re.sub(r"[\s:]", "", digits))[-32:][::-1]


def line_of(path: str) -> bytes:
    return Path(path).read_bytes().splitlines()[1][8:48]


class Keys(Scene):
    def setUp(self) -> None:
        if is_sanitized():
            self.skipTest("SKIPPED: a sanitizer keeps what was freed")
        self.up = self.upstream(Catalogue(7, 20, 5))

    def look(self, gate: Gate, *keys: bytes) -> list[tuple[int, int]]:
        try:
            return found(gate.process.pid, *keys)
        except PermissionError:
            self.skipTest("SKIPPED: it takes the right to trace to read another's memory")

    def assert_only_locked(self, gate: Gate, *keys: bytes) -> None:
        for locked, elsewhere in self.look(gate, *keys):
            self.assertGreater(locked, 0)
            self.assertEqual(elsewhere, 0)

    def is_gone(self, gate: Gate, *keys: bytes) -> bool:
        return all(counts == (0, 0) for counts in self.look(gate, *keys))

    def own(self, gate: Gate) -> list[bytes]:
        """The ledger's seed and the key of cookies."""
        ledger = next(p for p in gate.state_dir.rglob("key")).read_text().strip()
        cookies = (gate.state_dir / "cookie-keys").read_text().splitlines()[1]
        return [base64.b64decode(ledger.split("+", 4)[-1])[1:33],
                bytes.fromhex(cookies.split()[2])]

    def test_where_they_are(self) -> None:
        gate = self.gate(self.up)
        if "keys_not_locked" in gate.log_text():
            self.skipTest("SKIPPED: memory cannot be locked here")
        old, new = (self.pki.pair(n)[1] for n in ("sallyport", "upstream"))
        ledger = next(p for p in gate.state_dir.rglob("key")).read_bytes().strip()
        self.assertGreater(self.look(gate, b"sallyport")[0][1], 0, "the search finds")
        with self.downstream(gate) as server:
            server.sync()
            self.assert_only_locked(gate, number_of(old), *self.own(gate))
        for certificate, path, before in (("upstream", new, old), ("sallyport", old, new)):
            gate.write_config(certificate=certificate)
            self.assertEqual(gate.command("reload").returncode, 0)
            with self.downstream(gate) as server:
                server.sync()
            wait_until("that it is gone", lambda: self.is_gone(gate, number_of(before)))
            self.assert_only_locked(gate, number_of(path), *self.own(gate))
        # not as texts either
        self.assertTrue(self.is_gone(gate, line_of(old), line_of(new), ledger[-44:]))


if __name__ == "__main__":
    unittest.main()
