"""sallyport trust add|list|check: certificates that help to build chains of signatures."""
import hashlib
import ssl
import subprocess
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
import signer
from gate import hang_up, wait_until
from scene import Scene

OK, REFUSED, USAGE = 0, 1, 64


class Trust(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(211, 30, 1, big=50_000)
        cls.own = signer.make()
        cls.root = cls.own.bundle
        der = ssl.PEM_cert_to_DER_cert(cls.root.read_text())
        cls.fingerprint = hashlib.sha256(der).hexdigest()

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up, code_signing_bundle="", code_signing_pins=self.pins())
        self.server = self.downstream(self.door)
        self.claim = next(iter(self.server.sync().claims.values()))
        self.added = self.door.state_dir / "trust.pem"

    def pins(self) -> Path:
        """The pins of the signer, which name the root's certificate too."""
        path = self.own.directory / "with-fingerprint.pins"
        path.write_text(f"{self.own.pins.read_text().rstrip()}  {self.fingerprint}\n")
        return path

    def trust(self, *words: str | Path, status: int = OK) -> str:
        done = self.door.command("trust", *map(str, words))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def make(self, name: str, *more: str) -> Path:
        """A root of no consequence."""
        at = self.door.directory
        subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes",
                        "-keyout", at / f"{name}.key", "-out", at / f"{name}.pem", "-subj",
                        f"/CN={name}", *more], check=True, capture_output=True, timeout=60)
        return at / f"{name}.pem"

    def test_a_missing_root_is_named_and_added(self) -> None:
        answer = self.wire(self.door.http_url).ask("GET", self.claim.path)
        self.assertEqual(answer.status, 502)
        text = answer.body.decode()
        self.assertIn("missing issuer", text)
        shown = self.door.command("ledger", "show", str(
            int(self.door.status()["ledger"]["entries"]) - 1)).stdout
        self.assertIn(f"SHA-256 {self.fingerprint}", shown)
        self.assertIn('add it with "sallyport trust add"', shown)
        self.assertIn(f"missing {signer.ROOT_NAME}, SHA-256 {self.fingerprint}",
                      self.trust("check"))
        said = self.trust("add", self.root)
        self.assertIn(self.fingerprint, said)
        self.assertIn("pinned for code-signing", said)
        self.assertNotIn("missing " + signer.ROOT_NAME, self.trust("check"))
        before = len(self.door.log())
        hang_up(self.door)
        wait_until("a reload", lambda: any(
            "reload" in e["event"] for e in self.door.log()[before:]))
        self.server.download(self.claim)

    def test_forms_and_repetition(self) -> None:
        der = self.door.directory / "root.der"
        der.write_bytes(ssl.PEM_cert_to_DER_cert(self.root.read_text()))
        self.assertIn("1 added", self.trust("add", der))
        once = self.added.read_bytes()
        self.assertIn("there already", self.trust("add", self.root))
        self.assertEqual(self.added.read_bytes(), once)
        other = self.make("Other Root")
        both = self.door.directory / "both.pem"
        both.write_text(self.root.read_text() + other.read_text())
        said = self.trust("add", both)
        self.assertIn("1 added", said)
        self.assertIn("only helps to build chains", said)
        self.assertTrue(self.added.read_bytes().startswith(once))
        listed = self.trust("list")
        self.assertEqual(listed.count("SHA-256"), 2)
        self.assertIn("CN=Other Root", listed)
        self.assertEqual([p.name for p in self.door.state_dir.glob("trust.pem.n*")], [])

    def test_what_is_not_added(self) -> None:
        for name, content in (("nothing.pem", b"nothing\n"), ("empty.pem", b""),
                              ("cut.der", ssl.PEM_cert_to_DER_cert(self.root.read_text())[:-1]),
                              ("key.pem", (self.own.directory / "root.key").read_bytes())):
            with self.subTest(name):
                path = self.door.directory / name
                path.write_bytes(content)
                done = self.door.command("trust", "add", str(path))
                self.assertNotEqual(done.returncode, OK)
                self.assertIn(f"{name} is no certificate", done.stderr)
                self.assertFalse(self.added.exists())
        self.trust("add", status=USAGE)
        self.trust("list", "x", status=USAGE)

    def test_check(self) -> None:
        self.trust("add", self.make("Short Root", "-days", "30"))
        old = self.door.directory / "old.pem"
        old.write_text(Path(self.pki.file("hostile/expired.pem")).read_text()
                       + Path(self.pki.ca).read_text())
        self.trust("add", old)
        said = self.trust("check")
        self.assertRegex(said, "(?m)^good +CN=Short Root: .*expires soon: 20")
        self.assertRegex(said, "(?m)^expired CN=.*; expired 20")
        self.trust("add", self.own.directory / "code.pem")  # its root is not there
        self.assertRegex(self.trust("check", status=REFUSED),
                         "(?m)^useless CN=Content Test Signer: .*add the certificate of "
                         f"CN={signer.ROOT_NAME}")
        self.trust("add", self.root)
        self.assertNotIn("useless ", self.trust("check"))


if __name__ == "__main__":
    unittest.main()
