"""The ledger as a stranger sees it: files, proofs and signatures checked by tests/support/tlog.py,
which shares nothing with the program, and damage found by both."""
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
import soap
import tlog
from gate import run, wait_until
from pki import SOURCE
from scene import Scene

VALUES = {"TEXT": r"(?:[^\x00-\x1f\x7f-\x9f%]|%(?:[01][0-9A-F]|7F|25|C2%[89][0-9A-F]))*",
          "INT": r"0|-?[1-9]\d*", "FLAG": "true|false", "DIGEST": "(?:[0-9a-f]{2}){1,64}",
          "GUID": "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"}


def table() -> list[tuple[str, str]]:
    """Key and kind of every fact, in the order of an entry."""
    text = Path(SOURCE, "src/core/custody/facts.def").read_text()
    rows = re.findall(r'^FACT\(\w+, "([\w.-]+)", (\w+),', text, re.MULTILINE)
    if not rows or len(rows) != text.count("\nFACT("):
        raise ValueError("facts.def has a row that this test cannot read")
    return rows


def order_of(kind: str, value: str) -> bytes | int:
    if kind == "INT":
        return int(value)
    return re.sub(rb"%(..)", lambda m: bytes.fromhex(m[1].decode()), value.encode())


class Verifier(unittest.TestCase):
    """The verifier itself, by what the documents print."""

    def test_ed25519(self) -> None:
        # RFC 8032 section 7.1, TEST 2
        public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        signature = bytes.fromhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
        self.assertTrue(tlog.ed25519_verify(public, b"\x72", signature))
        self.assertFalse(tlog.ed25519_verify(public, b"\x73", signature))
        for at in (0, 31, 32, 63):
            wrong = bytearray(signature)
            wrong[at] ^= 1
            self.assertFalse(tlog.ed25519_verify(public, b"\x72", bytes(wrong)), at)
        s = int.from_bytes(signature[32:], "little") + tlog.ORDER
        self.assertFalse(tlog.ed25519_verify(public, b"\x72",
                                             signature[:32] + s.to_bytes(32, "little")))

    def test_trees(self) -> None:
        leaves = [tlog.leaf_hash(bytes.fromhex(h)) for h in
                  ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                   "606162636465666768696a6b6c6d6e6f")]
        self.assertEqual(tlog.root_of(leaves).hex(),
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
        for size in range(1, 9):
            new = tlog.Checkpoint("x", size, tlog.root_of(leaves[:size]))
            for i in range(size):
                proof = tlog.prove_inclusion(i, leaves[:size])
                self.assertEqual(tlog.root_of_proof(leaves[i], i, size, proof), new.root)
                old = tlog.Checkpoint("x", i + 1, tlog.root_of(leaves[:i + 1]))
                proof = tlog.prove_consistency(i + 1, leaves[:size])
                tlog.check_consistency(old, new, proof)
                with self.assertRaises(tlog.Broken):
                    tlog.check_consistency(old, new, [*proof, bytes(32)])

    def test_paths(self) -> None:
        self.assertEqual(tlog.tile_path(0, 0, 1), "tile/0/000.p/1")
        self.assertEqual(tlog.tile_path(2, 999), "tile/2/999")
        self.assertEqual(tlog.tile_path("entries", 1234067, 8), "tile/entries/x001/x234/067.p/8")


class Ledger(Scene):
    """One sync of about 600 entries with refusals in it; looked at while the program runs."""

    def setUp(self) -> None:
        made = catalogue.Catalogue(101, 560, 30, big=0)
        self.up = self.upstream(made, "xpress")
        self.door = self.gate(self.up)
        self.folder = self.door.state_dir / "ledger"
        self.key = tlog.key_of((self.folder / "key.pub").read_text())
        server = self.downstream(self.door)
        server.authorize()
        keys = [r.key for r in made.revisions]
        server.fetch(keys[:200])
        self.refuse(server, made.revisions[300], "dtd")
        self.early = self.look()
        self.early_note = (self.folder / "checkpoint").read_bytes()
        server.fetch(keys)
        self.refuse(server, made.revisions[301], "change")
        for claim in list(server.synced.claims.values())[:20]:
            server.download(claim)
        self.log = self.look()

    def refuse(self, server, revision, lie: str) -> None:
        self.up.hostile.documents[revision.update_id] = lie
        with self.assertRaises(soap.Fault):
            server.update_data([revision.key])
        self.up.hostile.reset()

    def look(self) -> tlog.Log:
        """The log once its view shows all that is recorded."""
        entries = self.door.status()["ledger"]["entries"]
        wait_until("the checkpoint covers every entry", lambda: tlog.open_checkpoint(
            (self.folder / "checkpoint").read_bytes(), self.key).size == entries)
        return tlog.Log(self.folder, self.key)

    # ---- what is there ------------------------------------------------------------------

    def test_files(self) -> None:
        size = self.log.checkpoint.size
        self.assertGreater(size, 2 * tlog.WIDTH)
        self.assertEqual(size, 560 + 2 + 20)
        self.assertEqual(self.log.checkpoint.origin, self.key.name)
        there = {str(p.relative_to(self.folder)) for p in (self.folder / "tile").rglob("*")
                 if p.is_file()}
        self.assertEqual(there | {"checkpoint"}, self.log.files, "old partial tiles are gone")
        self.door.verify_ledger()

    def test_entries(self) -> None:
        kinds: dict[str, int] = {}
        rows = table()
        for number, entry in enumerate(self.log.entries):
            facts = self.facts_of(number, entry, rows)
            kinds[facts["entry.kind"]] = kinds.get(facts["entry.kind"], 0) + 1
            self.assertEqual(facts["verdict.ruling"],
                             "refused" if facts["entry.kind"] == "refusal" else "passed")
        self.assertEqual(kinds, {"revision": 560, "refusal": 2, "file": 20})

    def facts_of(self, number: int, entry: bytes, rows: list[tuple[str, str]]) -> dict[str, str]:
        """Checks that an entry is canonical: known keys in the order of the table, each value in
        its one spelling, the values of a set in order and each once."""
        text = entry.decode()
        self.assertTrue(text.endswith("\n"), number)
        places = {key: (i, kind) for i, (key, kind) in enumerate(rows)}
        seen = []
        for line in text[:-1].split("\n"):
            key, blank, value = line.partition(" ")
            self.assertTrue(blank and key in places, (number, line))
            place, kind = places[key]
            self.assertRegex(value, rf"\A(?:{VALUES[kind]})\Z", (number, line))
            seen.append((place, order_of(kind, value)))
        self.assertEqual(seen, sorted(set(seen)), (number, text))
        return dict(line.partition(" ")[::2] for line in text[:-1].split("\n"))

    def test_the_same_entries_are_shown(self) -> None:
        for number in (0, 255, 256, self.log.checkpoint.size - 1):
            done = self.door.command("ledger", "show", str(number))
            self.assertEqual((done.returncode, done.stdout.encode()),
                             (0, self.log.entries[number]), done.stderr)

    # ---- proofs -------------------------------------------------------------------------

    def proof(self, number: int) -> bytes:
        done = self.door.command("ledger", "prove", str(number))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.encode()

    def test_proofs(self) -> None:
        size = self.log.checkpoint.size
        for number in (0, 1, 255, 256, 300, 511, 512, size - 1):
            with self.subTest(number):
                proof, entry = self.proof(number), self.log.entries[number]
                self.assertEqual(tlog.check_proof(proof, entry, self.key),
                                 (number, self.log.checkpoint))
                hashes = proof.partition(b"\n\n")[0].decode().split("\n")[2:]
                self.assertEqual([tlog.unbase64(h, 32) for h in hashes],
                                 tlog.prove_inclusion(number, self.log.leaves))
                self.assert_no_other_proof(number, proof, entry)
        done = self.door.command("ledger", "prove", str(size))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")

    def assert_no_other_proof(self, number: int, proof: bytes, entry: bytes) -> None:
        head, _, note = proof.partition(b"\n\n")
        lines = head.split(b"\n")
        other = self.log.entries[number - 1]

        def made(*changed: bytes) -> bytes:
            return b"\n".join(changed) + b"\n\n" + note

        first, last = lines[2], lines[-1]
        for name, wrong in {
                "index": made(lines[0], b"index %d" % (number ^ 1), *lines[2:]),
                "leading zero": made(lines[0], b"index 0%d" % number, *lines[2:]),
                "header": made(b"c2sp.org/tlog-proof@v2", *lines[1:]),
                "a hash less": made(*lines[:-1]),
                "a hash more": made(*lines, last),
                "order": made(*lines[:2], last, *lines[3:-1], first),
                "size": proof.replace(b"\n%d\n" % self.log.checkpoint.size, b"\n600000\n"),
                "older checkpoint": head + b"\n\n" + self.early_note}.items():
            with self.assertRaises(tlog.Broken, msg=name):
                tlog.check_proof(wrong, entry, self.key)
        with self.assertRaises(tlog.Broken):
            tlog.check_proof(proof, other, self.key)

    def test_consistency(self) -> None:
        old, new = self.early.checkpoint, self.log.checkpoint
        self.assertEqual(old.size, 201)
        self.assertEqual(self.log.entries[:201], self.early.entries)
        proof = tlog.prove_consistency(old.size, self.log.leaves)
        tlog.check_consistency(old, new, proof)
        forked = tlog.Checkpoint(old.origin, old.size, tlog.root_of(self.log.leaves[1:202]))
        with self.assertRaises(tlog.Broken):
            tlog.check_consistency(forked, new, proof)

    # ---- damage -------------------------------------------------------------------------

    def test_damage_is_found(self) -> None:
        """By the stranger and by `ledger verify`, in a copy each time."""
        size = self.log.checkpoint.size
        rest = size % tlog.WIDTH
        self.assertEqual(self.door.stop(), 0)
        swapped = self.swapped_entries()
        for path, damage in (
                ("tile/entries/000", flip), ("tile/entries/001", cut),
                (f"tile/entries/002.p/{rest}", flip), ("tile/0/000", flip),
                (f"tile/0/002.p/{rest}", flip), ("tile/1/000.p/2", flip),
                ("tile/entries/000", None), ("tile/0/001", None),
                ("tile/entries/000", lambda data: swapped[0]),
                ("checkpoint", lambda data: data.replace(b"\n%d\n" % size, b"\n%d\n" % (size - 1))),
                ("checkpoint", flip), ("checkpoint", flip_signature)):
            with self.subTest(f"{path} {getattr(damage, '__name__', 'gone')}"):
                self.check_damage({path: damage})
        with self.subTest("two entries and their hashes changed places"):
            self.check_damage({"tile/entries/000": lambda data: swapped[0],
                               "tile/0/000": lambda data: swapped[1]})
        with self.subTest("another key"):
            name = self.key.name
            self.check_damage({"key.pub": lambda data: data.replace(
                name.encode(), name[::-1].encode())})

    def swapped_entries(self) -> tuple[bytes, bytes]:
        entries = self.log.entries[:tlog.WIDTH]
        entries[3], entries[200] = entries[200], entries[3]
        return (b"".join(len(e).to_bytes(2, "big") + e for e in entries),
                b"".join(map(tlog.leaf_hash, entries)))

    def check_damage(self, damages: dict) -> None:
        with tempfile.TemporaryDirectory() as state:
            folder = Path(state, "ledger")
            shutil.copytree(self.folder, folder)
            tlog.Log(folder, self.key)  # the copy is whole
            self.assertEqual(run("ledger", "verify", "-d", state).returncode, 0)
            for path, damage in damages.items():
                place = folder / path
                data = place.read_bytes()
                if damage is None:
                    place.unlink()
                else:
                    self.assertNotEqual(data, damage(data))
                    place.write_bytes(damage(data))
            with self.assertRaises(tlog.Broken):
                tlog.Log(folder, tlog.key_of((folder / "key.pub").read_text()))
            done = run("ledger", "verify", "-d", state)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertIn("DAMAGED", done.stderr)


def flip(data: bytes) -> bytes:
    return data[:20] + bytes([data[20] ^ 1]) + data[21:]


def cut(data: bytes) -> bytes:
    return data[:-1]


def flip_signature(data: bytes) -> bytes:
    at = data.rindex(b" ") + 30
    return data[:at] + (b"A" if data[at:at + 1] != b"A" else b"B") + data[at + 1:]


if __name__ == "__main__":
    unittest.main()
