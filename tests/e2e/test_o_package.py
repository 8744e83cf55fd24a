"""What scripts/package makes: a Debian package without a complaint, an image, a bill of
materials. Its life in a bare Debian is `scripts/package check`: that takes root and an archive."""
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

SOURCE = Path(os.environ.get("SALLYPORT_SOURCE", Path(__file__).parents[2]))
PROGRAM = os.environ.get("SALLYPORT")
WHEN = "1790000000"


def run(*args: object) -> str:
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{args[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def can(*args: str) -> bool:
    try:
        return subprocess.run(args, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def libraries() -> set[str]:
    return {Path(p).name for p in re.findall(r"(/\S+) \(0x", run("ldd", PROGRAM))}


@unittest.skipUnless(PROGRAM, "$SALLYPORT does not name a program")
class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.room = tempfile.TemporaryDirectory()
        cls.tree = Path(cls.room.name) / "tree"
        (cls.tree / "usr/bin").mkdir(parents=True)
        shutil.copy(PROGRAM, cls.tree / "usr/bin/sallyport")
        shutil.copytree(SOURCE / "policies", cls.tree / "usr/share/sallyport/policies")
        cls.out = cls.make("first")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.room.cleanup()

    @classmethod
    def make(cls, name: str) -> Path:
        out = Path(cls.room.name) / name
        run(sys.executable, SOURCE / "scripts/oci.py", cls.tree, out, "1.2.3", WHEN)
        return out

    def blob(self, described: dict) -> bytes:
        algorithm, digest = described["digest"].split(":")
        data = (self.out / "blobs" / algorithm / digest).read_bytes()
        self.assertEqual(hashlib.sha256(data).hexdigest(), digest)
        self.assertEqual(len(data), described["size"])
        return data

    def test_every_digest_of_the_layout_holds(self) -> None:
        index = json.loads((self.out / "index.json").read_text())
        manifest = json.loads(self.blob(index["manifests"][0]))
        config = json.loads(self.blob(manifest["config"]))
        tar = gzip.decompress(self.blob(manifest["layers"][0]))
        self.assertEqual(config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(tar).hexdigest()])
        self.assertNotIn(config["config"]["User"].split(":")[0], ("", "0", "root"))
        with tarfile.open(fileobj=io.BytesIO(tar)) as layer:
            members = {m.name: m for m in layer}
        self.assertFalse([n for n in members if "bin/" in n and n != "usr/bin/sallyport"])
        self.assertFalse([n for n, m in members.items() if m.mode & 0o6000])
        self.assertEqual(oct(members["var/lib/sallyport"].mode), "0o700")
        self.assertEqual(str(members["var/lib/sallyport"].uid), config["config"]["User"].split(":")[0])
        self.assertEqual(members["usr/bin/sallyport"].uid, 0)

    def test_the_same_tree_makes_the_same_image(self) -> None:
        again = self.make("again")
        self.assertEqual((self.out / "index.json").read_bytes(), (again / "index.json").read_bytes())

    def test_the_program_runs_in_its_root(self) -> None:
        if not can("unshare", "-r", "true"):
            self.skipTest("no user namespaces here")
        said = run("unshare", "-r", "chroot", self.out / "rootfs", "/usr/bin/sallyport", "policy",
                   "check", "/usr/share/sallyport/policies/strict-2026.policy")
        self.assertIn("good: policy strict-2026", said)

    def test_the_bill_names_every_library(self) -> None:
        if not can("dpkg-query", "-S", "/bin/sh"):
            self.skipTest("no dpkg here")
        bill = json.loads(run(sys.executable, SOURCE / "scripts/sbom.py",
                              self.tree / "usr/bin/sallyport", "1.2.3", WHEN))
        self.assertEqual(bill["spdxVersion"], "SPDX-2.3")
        own, *parts = bill["packages"]
        self.assertEqual((own["name"], own["versionInfo"]), ("sallyport", "1.2.3"))
        named = {c.split()[0] for p in parts for c in p["comment"].split("; ")}
        self.assertEqual(named, libraries())
        ids = {p["SPDXID"] for p in bill["packages"]}
        self.assertEqual(len(ids), len(bill["packages"]))
        self.assertEqual({r["relatedSpdxElement"] for r in bill["relationships"]}, ids)
        for part in parts:
            self.assertRegex(part["externalRefs"][0]["referenceLocator"], r"^pkg:deb/debian/[^@]+@.+\?arch=")


class Package(unittest.TestCase):
    def test_lintian_has_nothing_to_say(self) -> None:
        if not (shutil.which("dh") and shutil.which("lintian")):
            self.skipTest("debhelper or lintian is not installed")
        if not can("git", "-C", str(SOURCE), "rev-parse", "HEAD"):
            self.skipTest("not a git checkout: there is no committed tree to package")
        with tempfile.TemporaryDirectory() as room:
            said = run(SOURCE / "scripts/package", "deb", room)
            self.assertRegex(said, r"sallyport_[0-9.]+_\w+\.deb\n$")
            deb = next(Path(room).glob("sallyport_*.deb"))
            names = run("dpkg-deb", "-c", deb)
        for name in ("usr/bin/sallyport", "lib/systemd/system/sallyport.service",
                     "lib/systemd/system/sallyport.socket", "examples/credentials.conf",
                     "usr/lib/sysusers.d/sallyport.conf", "usr/lib/tmpfiles.d/sallyport.conf",
                     "man/man1/sallyport.1.gz", "man/man5/sallyport.conf.5.gz",
                     "man/man5/sallyport-policy.5.gz",
                     "bash-completion/completions/sallyport", "zsh/vendor-completions/_sallyport",
                     "fish/vendor_completions.d/sallyport.fish", "policies/strict-2026.policy"):
            self.assertIn(name, names)


if __name__ == "__main__":
    unittest.main()
