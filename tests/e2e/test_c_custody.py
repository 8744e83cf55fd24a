"""The ledger for others: /custody/ over TLS, a bundle that proves a KB to a stranger, an export.
Everything is checked by tests/support/tlog.py, which shares nothing with the program."""
import os
import pty
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import tlog
from catalogue import Catalogue
from gate import Gate, binary, run
from scene import Scene, raw, statuses


def unbundle(text: bytes, key: tlog.Key) -> tuple[str, dict[int, bytes], tlog.Checkpoint]:
    """The proof bundle by its description: what it is about, entries that are proven."""
    head, _, rest = text.partition(b"\n\n")
    lines = head.decode().split("\n")
    tlog.require(lines[0] == "sallyport-bundle@v1" and len(lines) == 3, "the head")
    parts, found = [], {}
    for _ in range(int(lines[2].removeprefix("entries "))):
        proof, _, rest = rest.partition(b"\n\n")
        first, *hashes = proof.decode().split("\n")
        index, size = map(int, first.removeprefix("entry ").split(" "))
        parts.append((index, rest[:size], [tlog.unbase64(h, tlog.HASH) for h in hashes]))
        rest = rest[size:]
    word, _, note = rest.partition(b"\n")
    tlog.require(word == b"checkpoint", "a checkpoint follows")
    checkpoint = tlog.open_checkpoint(note, key)
    for index, entry, hashes in parts:
        root = tlog.root_of_proof(tlog.leaf_hash(entry), index, checkpoint.size, hashes)
        tlog.require(root == checkpoint.root, f"entry {index} is not in the tree")
        found[index] = entry
    return lines[1].removeprefix("about "), found, checkpoint


class Custody(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Catalogue(11, 300, 12, 0)

    def synced(self, **settings) -> Gate:
        settings.setdefault("listener_more", 'custody = "on"\n')
        gate = self.gate(self.upstream(self.catalogue), **settings)
        self.downstream(gate).sync()
        return gate

    def key_text(self, gate: Gate) -> str:
        return (gate.state_dir / "ledger" / "key.pub").read_text().strip()

    def test_b_the_ledger_is_read_over_tls(self) -> None:
        gate = self.synced()
        wire = self.wire(gate.url)
        with tempfile.TemporaryDirectory() as folder:
            def take(path: str) -> bytes:
                reply = wire.ask("GET", f"/custody/{path}")
                self.assertEqual(reply.status, 200, path)
                to = Path(folder, path)
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(reply.body)
                kept = reply.headers["cache-control"]
                self.assertEqual("immutable" in kept, path != "checkpoint", kept)
                return reply.body
            key = tlog.key_of(self.key_text(gate))
            size = tlog.open_checkpoint(take("checkpoint"), key).size
            self.assertGreater(size, 256)
            for path, _ in tlog.tiles("entries", size):
                take(path)
            level, count = 0, size
            while count:
                for path, _ in tlog.tiles(level, count):
                    take(path)
                level, count = level + 1, count // tlog.WIDTH
            log = tlog.Log(Path(folder), key)
        self.assertEqual(len(log.entries), gate.status()["ledger"]["entries"])

    def test_f_nothing_else_is_read(self) -> None:
        gate = self.synced()
        for path, status in (("checkpoint", 200), ("key", 404), ("key.pub", 404), ("journal", 404),
                             ("", 404), ("tile/0/001", 404), ("tile/0/000.p/0", 404),
                             ("tile/0/../../key", 404), ("tile/0/%30%30%30", 404),
                             ("checkpoint?x", 404), ("../custody/checkpoint", 404)):
            for method in ("GET", "HEAD"):
                head = f"{method} /custody/{path} HTTP/1.1\r\nHost: localhost\r\n"
                answer = raw(gate.port, (head + "Connection: close\r\n\r\n").encode(), self.pki.ca)
                self.assertEqual(statuses(answer + b"X"), [status], (path, answer[:200]))
        post = (b"POST /custody/checkpoint HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                b"Connection: close\r\n\r\n")
        self.assertEqual(statuses(raw(gate.port, post, self.pki.ca) + b"X"), [405])
        plain = b"GET /custody/checkpoint HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        self.assertEqual(statuses(raw(gate.http_port, plain) + b"X"), [404])

    def test_f_it_is_off_unless_it_is_on(self) -> None:
        gate = self.gate(self.upstream(self.catalogue))
        plain = b"GET /custody/checkpoint HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        self.assertEqual(statuses(raw(gate.port, plain, self.pki.ca) + b"X"), [404])

    def test_b_a_bundle_convinces_a_stranger(self) -> None:
        gate = self.synced()
        key = self.key_text(gate)
        kb = next(line.split(" ", 1)[1] for n in range(0, 400)
                  for line in gate.command("ledger", "show", str(n)).stdout.splitlines()
                  if line.startswith("document.kb "))
        done = gate.command("ledger", "prove", f"KB{kb}", "--upto", "HEAD")
        self.assertEqual(done.returncode, 0, done.stderr)
        bundle = done.stdout.encode()
        about, entries, checkpoint = unbundle(bundle, tlog.key_of(key))
        self.assertEqual(about, f"KB{kb}")
        self.assertTrue(any(f"document.kb {kb}\n".encode() in e for e in entries.values()))
        listed = gate.command("ledger", "find", kb).stdout.splitlines()
        self.assertEqual([int(line.split()[0]) for line in listed], list(entries))
        gate.stop()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "bundle")
            file.write_bytes(bundle)
            page = run("ledger", "verify", str(file), "--key", key)
            self.assertEqual(page.returncode, 0, page.stderr)
            for part in (f"KB{kb}, as recorded by ", "published by localhost:", "key pinned ",
                         "document ", "verdict      passed", "policy       strict-2026",
                         f"of its {checkpoint.size} entries"):
                self.assertIn(part, page.stdout)
            file.write_bytes(bundle.replace(b"verdict.ruling passed", b"verdict.ruling Passed", 1))
            page = run("ledger", "verify", str(file), "--key", key)
            self.assertEqual((page.returncode, page.stdout), (1, ""))
            self.assertIn("NOT PROVEN", page.stderr)

    def test_c_an_export_proves_itself(self) -> None:
        gate = self.synced()
        key = self.key_text(gate)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "ledger")
            self.assertEqual(gate.command("ledger", "export", str(file)).returncode, 0)
            self.assertEqual(gate.command("ledger", "export", str(file)).returncode, 73)
            gate.stop()
            whole = run("ledger", "verify", str(file), "--key", key)
            self.assertEqual(whole.returncode, 0, whole.stderr)
            data = file.read_bytes()
            head, size, rest = data.split(b"\n", 2)
            self.assertEqual(head, b"sallyport-ledger@v1")
            checkpoint = tlog.open_checkpoint(rest[:int(size)], tlog.key_of(key))
            leaves = [tlog.leaf_hash(e) for e in tlog.unbundle(rest[int(size):])]
            self.assertEqual((len(leaves), tlog.root_of(leaves)), (checkpoint.size, checkpoint.root))
            for broken in (data[:-1], data + b"x", data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]):
                file.write_bytes(broken)
                self.assertEqual(run("ledger", "verify", str(file), "--key", key).returncode, 1)

    def test_b_a_terminal_sees_how_far_it_is(self) -> None:
        gate = self.synced()
        gate.stop()
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder, "ledger"))
            own = ["-c", str(gate.config)]
            for words in (["ledger", "export", file, *own], ["ledger", "verify", *own],
                          ["ledger", "verify", file, "--key", self.key_text(gate)]):
                screen, line = pty.openpty()
                with open(screen, "rb", buffering=0) as seen:
                    subprocess.run([binary(), *words], stderr=line, stdout=subprocess.DEVNULL,
                                   check=True)
                    os.close(line)
                    self.assertRegex(seen.read(4096), rb"\r\[#+ *\] +\d+ %", words)


if __name__ == "__main__":
    unittest.main()
