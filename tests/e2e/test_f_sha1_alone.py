"""Files that metadata names by SHA-1 alone are searched for the marks of collision attacks.

The files of real attacks are nobody's to hand on: SALLYPORT_SHA1_COLLISIONS names a folder of
them (shattered, shambles), else that half is skipped."""
import os
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
from pki import SOURCE
from scene import Scene


class Alone(catalogue.Catalogue):
    """Its files are old, and begin with the bytes that are given."""

    def __init__(self, beginnings: list[bytes]) -> None:
        self.beginnings = beginnings
        super().__init__(51, 20, len(beginnings), big=0)

    def _make_files(self, count: int, big: int) -> list[catalogue.File]:
        return [catalogue.File(f"old-{i}.txt", max(len(b), 3000), f"old/{i}", overlay={0: b},
                               is_old=True) for i, b in enumerate(self.beginnings)]


def policy(directory: Path) -> Path:
    """strict-2026, but for what it says of documents without a SHA-256."""
    text = (Path(SOURCE) / "policies" / "strict-2026.policy").read_text()
    changed = directory / "old.policy"
    changed.write_text(text.replace("policy strict-2026", "policy old", 1).replace(
        "sha256-present           enforce", "sha256-present           audit  ", 1))
    return changed


class Sha1Alone(Scene):
    def start(self, beginnings: list[bytes]) -> None:
        self.catalogue = Alone(beginnings)
        where = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.door = self.gate(self.upstream(self.catalogue), policy=policy(where))
        self.server = self.downstream(self.door)
        self.server.sync()

    def get(self, file: catalogue.File):
        return self.wire(self.door.http_url).ask("GET", file.path)

    def test_an_honest_file_passes(self) -> None:
        self.start([b"honest"])
        file = self.catalogue.files[0]
        answer = self.get(file)
        self.assertEqual(answer.status, 200, answer.body[:300])
        self.assert_bytes(answer.body, file.read())
        self.assertRegex(self.entries(), r"file\.sha1-collision none")

    def entries(self) -> str:
        count = self.door.status()["ledger"]["entries"]
        return "".join(self.door.command("ledger", "show", str(n)).stdout
                       for n in range(max(0, count - 3), count))

    @unittest.skipUnless(os.environ.get("SALLYPORT_SHA1_COLLISIONS"),
                         "SALLYPORT_SHA1_COLLISIONS names no folder with files of known attacks")
    def test_one_of_a_pair_is_refused(self) -> None:
        known = sorted(Path(os.environ["SALLYPORT_SHA1_COLLISIONS"]).iterdir())[0].read_bytes()
        changed = bytearray(known)
        for at in range(0, len(changed), 64):
            changed[at + 20] ^= 1
        self.start([known, bytes(changed)])
        attacked, neighbour = self.catalogue.files
        answer = self.get(attacked)
        self.assertEqual(answer.status, 502)
        self.assertRegex(answer.body.decode(), r"(?s)entry \d+.*share its SHA-1")
        self.assertRegex(self.entries(), r"file\.sha1-collision the block at \d+, by II?\(")
        self.assertEqual(self.get(neighbour).status, 200)
        kept = [p.name for p in (self.door.cache_dir / "quarantine").glob("*")]
        self.assertTrue(any(n.endswith("file-no-collision") for n in kept), kept)


if __name__ == "__main__":
    unittest.main()
