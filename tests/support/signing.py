"""Small files signed by a PKI of their own: signing.py DIR [revocation]. Writes pins.txt, bundle.pem,
signed files and revocation lists. Ends with 77 where no osslsigncode is installed that makes time
stamps itself (2.6 and later; Debian 12 has it in its backports)."""
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import attacks
import cabinet
import installers
import lists

CONFIG = """
[ca]
default_ca = own
[own]
database = {dir}/index.txt
serial = {dir}/serial
new_certs_dir = {dir}
default_md = sha256
default_crl_days = 30
policy = any
[any]
commonName = supplied
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[code]
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
[time]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tls]
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[partial]
issuingDistributionPoint = critical, @part
[part]
onlyuser = TRUE
[req]
distinguished_name = name
[name]
"""
WHOLE = ("20200101000000Z", "20400101000000Z")
SHORT = ("20200101000000Z", "20210101000000Z")
FUTURE = ("20300101000000Z", "20400101000000Z")
STAMPED = 1750000000  # 2025-06-15
EARLY = 1590000000    # 2020-05-20
LISTED = ("20260101000000Z", "20260201000000Z")


def can_sign() -> bool:
    """Signs, and makes time stamps without a server; says it when it cannot."""
    if shutil.which("osslsigncode"):
        usage = subprocess.run(["osslsigncode", "--help"], capture_output=True, text=True,
                               timeout=60, check=False)
        if "-TSA-certs" in usage.stdout + usage.stderr:
            return True
    print("SKIPPED: no osslsigncode that makes time stamps (2.6) is installed", file=sys.stderr)
    return False


def run(*command: str | Path, may_fail: bool = False, seconds: int = 60) -> None:
    done = subprocess.run([str(x) for x in command], capture_output=True, text=True,
                          timeout=seconds)
    if done.returncode and not may_fail:
        raise SystemExit(f"{' '.join(done.args)}\n{done.stdout}{done.stderr}")


class Authority:
    """One openssl ca, and what it issued."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "ca.conf"
        self.config.write_text(CONFIG.format(dir=directory))
        self.index = directory / "index.txt"
        self.index.touch()
        (directory / "serial").write_text("1000\n")

    def key(self, name: str, curve: str = "") -> Path:
        path = self.directory / f"{name}.key"
        how = (("EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
                f"ec_param_enc:{curve}") if curve else ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"))
        run("openssl", "genpkey", "-algorithm", *how, "-out", path)
        return path

    def root(self, name: str, common_name: str) -> None:
        request = self.directory / f"{name}.csr"
        run("openssl", "req", "-new", "-key", self.key(name), "-config", self.config,
            "-subj", f"/CN={common_name}", "-out", request)
        self.enter(name, "root", WHOLE, "-selfsign", "-keyfile", self.directory / f"{name}.key")

    def enter(self, name: str, kind: str, dates: tuple[str, str], *by: str | Path) -> None:
        run("openssl", "ca", "-batch", "-notext", "-config", self.config,
            "-in", self.directory / f"{name}.csr", *by, "-extensions", kind,
            "-startdate", dates[0], "-enddate", dates[1],
            "-out", self.directory / f"{name}.pem")

    def issue(self, name: str, kind: str, root: str = "root", dates: tuple[str, str] = WHOLE,
              curve: str = "") -> None:
        request = self.directory / f"{name}.csr"
        run("openssl", "req", "-new", "-key", self.key(name, curve), "-config", self.config,
            "-subj", f"/CN=Test {name}", "-out", request)
        self.enter(name, kind, dates, "-cert", self.directory / f"{root}.pem",
                   "-keyfile", self.directory / f"{root}.key")

    def revoke(self, name: str) -> Path:
        with_root = ("-config", self.config, "-cert", self.directory / "root.pem",
                     "-keyfile", self.directory / "root.key")
        run("openssl", "ca", *with_root, "-revoke", self.directory / f"{name}.pem")
        run("openssl", "ca", *with_root, "-gencrl", "-out", self.directory / "crl.pem")
        return self.directory / "crl.pem"

    def list_of(self, name: str, since: str, target: str, root: str = "root", form: str = "PEM",
                *more: str) -> None:
        """A list by root on which name stands as revoked; since is as index.txt has it."""
        serial = self.serial(name)
        rows = [line.split("\t") for line in self.index.read_text().splitlines()]
        self.index.write_text("".join("\t".join(
            ["R", row[1], since, *row[3:]] if row[3] == serial else
            ["V", row[1], "", *row[3:]]) + "\n" for row in rows))
        pem = self.directory / "list.pem"
        run("openssl", "ca", "-config", self.config, "-cert", self.directory / f"{root}.pem",
            "-keyfile", self.directory / f"{root}.key", "-gencrl", "-crl_lastupdate", LISTED[0],
            "-crl_nextupdate", LISTED[1], *more, "-out", pem)
        run("openssl", "crl", "-in", pem, "-outform", form, "-out", self.directory / target)

    def serial(self, name: str) -> str:
        shown = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in",
                                self.directory / f"{name}.pem"], check=True,
                               capture_output=True, text=True, timeout=60).stdout
        return shown.strip().partition("=")[2]

    def sign(self, source: str, target: str, name: str, *more: str | Path) -> None:
        (self.directory / target).unlink(missing_ok=True)
        run("osslsigncode", "sign", "-certs", self.directory / f"{name}.pem",
            "-key", self.directory / f"{name}.key", "-n", "Fixture", *more,
            "-in", self.directory / source, "-out", self.directory / target)

    def stamp(self, when: int = STAMPED) -> tuple[str | Path, ...]:
        return ("-TSA-certs", self.directory / "stamp.pem", "-TSA-key",
                self.directory / "stamp.key", "-TSA-time", str(when))


class Signer:
    """The least that signs files: a trusted root, a signer and a time stamp authority; pins.txt
    and bundle.pem beside them."""

    def __init__(self, directory: Path) -> None:
        self.own = Authority(directory)
        self.own.root("root", "Test Root")
        self.own.issue("code", "code")
        self.own.issue("stamp", "time")
        (directory / "pins.txt").write_text(pins(directory))
        (directory / "bundle.pem").write_text((directory / "root.pem").read_text())

    def sign(self, source: str, target: str, stamped: int | None = STAMPED) -> None:
        self.own.sign(source, target, "code", "-h", "sha256",
                      *(() if stamped is None else self.own.stamp(stamped)))


def image(is_small: bool = False) -> bytes:
    """The least that is a PE32+ (or PE32) image with two sections, [PE] and nothing more."""
    sections = [(b".text", 0x1000, 0x400), (b".data", 0x2000, 0x600)]
    coff = struct.pack("<HHIIIHH", 0x14c if is_small else 0x8664, len(sections), 0, 0, 0,
                       224 if is_small else 240, 0x102 if is_small else 0x22)
    base = struct.pack("<II", 0x2000, 0x400000) if is_small else struct.pack("<Q", 0x140000000)
    optional = struct.pack("<HBBIIIII", 0x10b if is_small else 0x20b, 14, 0, 0x200, 0x200, 0,
                           0x1000, 0x1000) + base
    optional += struct.pack("<IIHHHHHHIIIIHH", 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, 0x3000, 0x400,
                            0, 3, 0)
    optional += struct.pack("<IIIIII" if is_small else "<QQQQII", 1 << 20, 4096, 1 << 20, 4096,
                            0, 16)
    optional += bytes(16 * 8)
    table = b"".join(struct.pack("<8sIIIIIIHHI", name, 0x200, where, 0x200, at, 0, 0, 0, 0,
                                 0x60000020) for name, where, at in sections)
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + coff + optional + table
    return head.ljust(0x400, b"\0") + b"\xc3" * 0x200 + bytes(range(256)) * 2


def pins(directory: Path) -> str:
    key = subprocess.run(f"openssl x509 -in {directory}/root.pem -pubkey -noout | openssl pkey "
                         "-pubin -outform der | openssl dgst -sha256 -binary | openssl base64",
                         shell=True, check=True, capture_output=True, text=True).stdout.strip()
    return f'sha256//{key} code-signing,time-stamping "Test Root"\n'


def write_all(directory: Path) -> None:
    own = Authority(directory)
    own.root("root", "Test Root")
    own.root("stranger", "Strange Root")
    for name, kind in (("code", "code"), ("stamp", "time"), ("tls", "tls"), ("gone", "code")):
        own.issue(name, kind)
    own.issue("short", "code", dates=SHORT)
    own.issue("foreign", "code", root="stranger")
    own.issue("curve", "code", curve="explicit")
    own.issue("named", "code", curve="named_curve")
    own.issue("early", "code", dates=FUTURE)
    (directory / "plain.exe").write_bytes(image())
    (directory / "plain.cab").write_bytes(cabinet.write(bytes(range(256)) * 4, cabinet.NONE))
    for kind in ("exe", "cab"):
        plain = f"plain.{kind}"
        own.sign(plain, f"good.{kind}", "code", "-h", "sha256", *own.stamp())
        own.sign(plain, f"bare.{kind}", "code", "-h", "sha256")
        own.sign(plain, f"sha1.{kind}", "code", "-h", "sha1", *own.stamp())
        own.sign(f"sha1.{kind}", f"dual.{kind}", "code", "-h", "sha256", "-nest", *own.stamp())
    (directory / "plain32.exe").write_bytes(image(is_small=True))
    own.sign("plain32.exe", "good32.exe", "code", "-h", "sha256", *own.stamp())
    (directory / "good.msu").write_bytes((directory / "good.cab").read_bytes())
    own.sign("dual.exe", "triple.exe", "code", "-h", "sha256", "-nest", *own.stamp())
    own.sign("plain.exe", "expired.exe", "short", "-h", "sha256")
    own.sign("plain.exe", "outlived.exe", "short", "-h", "sha256", *own.stamp(EARLY))
    own.sign("plain.exe", "late.exe", "short", "-h", "sha256", *own.stamp())
    own.sign("plain.exe", "tls.exe", "tls", "-h", "sha256", *own.stamp())
    own.sign("plain.exe", "foreign.exe", "foreign", "-h", "sha256", *own.stamp())
    own.sign("plain.exe", "curve.exe", "curve", "-h", "sha256", *own.stamp())
    own.sign("plain.exe", "gone.exe", "gone", "-h", "sha256")
    own.sign("plain.exe", "pages.exe", "code", "-h", "sha256", "-ph", *own.stamp())
    own.issue("short-stamp", "time", dates=SHORT)
    installers.sign(own, directory)
    lists.write(directory)
    attacks.write(own, directory)
    crl = own.revoke("gone")
    (directory / "pins.txt").write_text(pins(directory))
    (directory / "bundle.pem").write_text((directory / "root.pem").read_text())
    (directory / "revoked.pem").write_text(crl.read_text())


def write_revocation(directory: Path) -> None:
    """One signer, its signature with and without a time stamp, and lists that name it."""
    own = Authority(directory)
    own.root("root", "Test Root")
    own.root("stranger", "Strange Root")
    for name, kind in (("gone", "code"), ("stamp", "time"), ("other", "code")):
        own.issue(name, kind)
    (directory / "plain.exe").write_bytes(image())
    own.sign("plain.exe", "bare.exe", "gone", "-h", "sha256")
    own.sign("plain.exe", "stamped.exe", "gone", "-h", "sha256", *own.stamp())
    july, june = "250701000000Z", "250601000000Z"
    own.list_of("gone", july, "july.crl")
    own.list_of("gone", june, "june.crl", form="DER")
    own.list_of("gone", f"{july},keyTime,20{june}", "lost.crl")
    own.list_of("gone", june, "partial.crl", "root", "PEM", "-crlexts", "partial")
    own.list_of("other", june, "other.crl")
    own.list_of("other", june, "partial-other.crl", "root", "PEM", "-crlexts", "partial")
    own.list_of("gone", june, "stranger.crl", root="stranger")
    forger = directory / "forger"
    forger.mkdir()
    forged = Authority(forger)
    forged.root("root", "Test Root")  # the same name, another key
    forged.issue("gone", "code")      # and the serial of the first one below it
    forged.list_of("gone", june, "forged.crl")
    (forger / "forged.crl").rename(directory / "forged.crl")
    (directory / "pins.txt").write_text(pins(directory))
    (directory / "bundle.pem").write_text((directory / "root.pem").read_text())


if __name__ == "__main__":
    if not can_sign():
        sys.exit(77)
    (write_revocation if sys.argv[2:] == ["revocation"] else write_all)(Path(sys.argv[1]))
