"""Files whose digests are what metadata says and whose signatures are not what policy demands:
refused, named and kept as evidence; their well signed neighbours pass."""
import http.client
import random
import re
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness  # noqa: F401

import cabinet
import catalogue
import signer
import versioned
from gate import hang_up, wait_until
from pki import SOURCE
from scene import Scene

MIB = 1 << 20
LARGE = 6 * MIB + 5
HOLD = MIB
HASH_ONLY = ("delta.psf", "image.esd", "image.wim", "licence.txt")


def holding(name: str, content: bytes) -> catalogue.File:
    return catalogue.File(name, len(content), name, overlay={0: content})


def tampered(name: str, size: int) -> catalogue.File:
    """Signed, then changed in one bit that the signature covers."""
    good = catalogue.genuine(name, size, name)
    at = size // 2
    changed = bytes([good.read(at, at + 1)[0] ^ 1])
    return catalogue.File(name, size, name, overlay={**good.overlay, at: changed})


def signed_by(name: str, size: int, who: signer.Signer) -> catalogue.File:
    noise = catalogue.File(name, size, name)
    return catalogue.File(name, size, name, overlay=who.overlay(size, noise.pieces))


def program(name: str, original: str) -> catalogue.File:
    """Signed well; what it calls itself stands in its version resource."""
    plain = versioned.image({"CompanyName": "Fabrikam", "OriginalFilename": original})
    content = versioned.signed(plain, signer.make())
    return catalogue.File(name, len(content), name, overlay={0: content})


class Wrong(catalogue.Catalogue):
    def _make_files(self, count: int, big: int) -> list[catalogue.File]:
        with tempfile.TemporaryDirectory() as directory:
            stranger = signer.Signer(Path(directory))
            self.stranger = stranger.pin("code")
            foreign = signed_by("foreign.cab", 80_000, stranger)
        trailing = catalogue.genuine("trailing.cab", 70_000, "trailing")
        return [*(catalogue.genuine(name, 70_000, name) for name in HASH_ONLY),
                catalogue.genuine("good.cab", 80_001, "good"),
                catalogue.genuine("large.cab", LARGE, "large"),
                holding("unsigned.cab", cabinet.write(random.Random(1).randbytes(50_000))),
                tampered("tampered.cab", 90_000), tampered("large-tampered.cab", LARGE),
                program("update.exe", "psexec.c"), program("setup.exe", "setup.exe"),
                foreign, holding("trailing.cab", trailing.read() + b"PK\5\6" + bytes(18)),
                catalogue.File("noise.cab", 60_000, "noise"),
                catalogue.File("noise.wim", 60_001, "noise"),
                holding("really-a-cabinet.txt", trailing.read())]


class Signatures(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = Wrong(201, 30, 1, big=0)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.open()

    def open(self, **settings) -> None:
        self.door = self.gate(self.up, **settings)
        self.server = self.downstream(self.door)
        self.claims = {c.name: c for c in self.server.sync().claims.values()}
        self.http = self.wire(self.door.http_url)

    def refused(self, name: str, rule: str, words: str) -> None:
        answer = self.http.ask("GET", self.claims[name].path)
        text = answer.body.decode(errors="replace")
        self.assertEqual(answer.status, 502, text[:300])
        self.assertRegex(text, rf"(?s)rule {rule} \(ledger entry \d+\).*{words}")
        kept = [p.name for p in (self.door.cache_dir / "quarantine").iterdir()]
        digest = self.claims[name].sha256.hex()
        self.assertTrue(any(digest in n and n.endswith(f".{rule}") for n in kept), kept)

    def assert_passes(self, name: str) -> None:
        file = self.catalogue.by_digest[self.claims[name].sha1]
        self.assert_bytes(self.server.download(self.claims[name]), file.read(), name)

    def test_each_for_its_own_reason(self) -> None:
        for name, rule, words in (
                ("unsigned.cab", "file-signed", "there is no signature"),
                ("tampered.cab", "file-signed", "is not the one that was signed"),
                ("foreign.cab", "file-signed", "missing issuer"),
                ("trailing.cab", "file-signature-strict", "behind the end"),
                ("update.exe", "file-not-tool", 'calls itself "psexec.c"'),
                ("noise.cab", "file-type-agrees", "plain"),
                ("noise.wim", "file-type-agrees", "plain"),
                ("really-a-cabinet.txt", "file-type-agrees", "cab")):
            with self.subTest(name):
                self.refused(name, rule, words)
        self.assert_passes("good.cab")
        self.assert_passes("setup.exe")
        self.door.check_objects()
        self.assertEqual(self.door.staged(), [])
        self.assertEqual(self.door.stop(), 0)
        self.door.verify_ledger()

    def test_kinds_without_signatures(self) -> None:
        for name in HASH_ONLY:
            with self.subTest(name):
                self.assert_passes(name)

    def test_what_was_found_is_in_the_ledger(self) -> None:
        self.assert_passes("good.cab")
        count = int(self.door.status()["ledger"]["entries"])
        shown = self.door.command("ledger", "show", str(count - 1)).stdout
        for fact in ("entry.kind file", "sign.format cab", "sign.class signed", "sign.count 1",
                     "sign.signer CN=Content Test Signer", "sign.root-trusted true"):
            self.assertIn(fact, shown)
        self.assertNotIn("sign.omitted", shown)

    def test_the_shipped_pins_trust_nobody_here(self) -> None:
        self.door.stop()
        self.open(code_signing_pins="")
        self.refused("good.cab", "file-signed", "unknown root")

    def test_without_the_bundle_the_issuer_is_missing(self) -> None:
        self.door.stop()
        self.open(code_signing_bundle="")
        self.refused("good.cab", "file-signed", "missing issuer")

    def reload(self, **settings) -> None:
        before = len(self.door.log())
        self.door.write_config(**settings)
        hang_up(self.door)
        wait_until("a log line about the reload", lambda: any(
            "reload" in e["event"] for e in self.door.log()[before:]))

    def test_pins_are_reloaded(self) -> None:
        self.reload(code_signing_pins="")
        self.refused("good.cab", "file-signed", "unknown root")
        self.reload(code_signing_pins=signer.make().pins)
        self.assert_passes("good.cab")

    def test_a_revoked_signer(self) -> None:
        """Without a time stamp the day of the fill decides."""
        own = signer.make()
        for since, holds in (("200101000000Z", False), ("400101000000Z", True)):
            with self.subTest(since):
                self.reload(code_signing_crls=[own.revocation_list(since)])
                if holds:
                    self.assert_passes("good.cab")
                else:
                    self.refused("good.cab", "file-not-revoked", "revoked by then")
        count = int(self.door.status()["ledger"]["entries"])
        shown = self.door.command("ledger", "show", str(count - 1)).stdout
        self.assertIn("sign.revocation-fresh true", shown)
        self.assertRegex(shown, 'sign.revocation "CN=Content Test Signer" not-listed, list of 20')

    def verify(self, *words: object, status: int) -> str:
        done = self.door.command("verify", *map(str, words))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def on_disk(self, name: str):
        path = self.door.directory / name
        path.write_bytes(self.catalogue.by_digest[self.claims[name].sha1].read())
        return path

    def test_verify_judges_as_the_daemon_would(self) -> None:
        good, unsigned, tool = map(self.on_disk, ("good.cab", "unsigned.cab", "update.exe"))
        own = signer.make()
        sha256 = self.claims["good.cab"].sha256.hex()
        self.assertIn("passed", self.verify(good, status=0))
        self.verify(good, "--digest", f"sha256:{sha256}", status=0)
        self.assertIn("file-sha256", self.verify(good, "--digest", f"sha256:{'0' * 64}", status=1))
        self.assertIn("file-signed", self.verify(unsigned, status=1))
        self.assertIn("file-not-tool", self.verify(good, tool, status=1))
        self.verify(good, self.door.directory / "nowhere.cab", status=2)
        self.assertIn("do not go with it", self.verify("--trust", own.pins, good, status=64))
        with self.subTest("lists"):
            self.door.write_config(code_signing_crls=[own.revocation_list("200101000000Z")])
            self.assertIn("file-not-revoked", self.verify(good, status=1))
        with self.subTest("trust.pem"):
            self.door.write_config(code_signing_bundle="", code_signing_crls=[])
            self.assertIn("missing issuer", self.verify(good, status=1))
            self.assertEqual(self.door.command("trust", "add", str(own.bundle)).returncode, 0)
            self.verify(good, status=0)

    def test_released_only_when_it_is_good_today(self) -> None:
        own = signer.make()
        self.refused("unsigned.cab", "file-signed", "there is no signature")
        self.reload(code_signing_crls=[own.revocation_list("200101000000Z")])
        self.refused("good.cab", "file-not-revoked", "revoked by then")
        self.assertEqual(self.door.stop(), 0)
        for name, rule in (("unsigned.cab", "file-signed"), ("good.cab", "file-not-revoked")):
            self.assertIn(f"stays: {rule}", self.release(name, 1))
        self.door.write_config(code_signing_crls=[])
        self.assertIn("released, ledger entry", self.release("good.cab", 0))
        self.assertIn("stays: file-signed", self.release("unsigned.cab", 1))
        self.door.start()
        before = len(self.up.content_requests())
        self.assert_passes("good.cab")
        self.assertEqual(len(self.up.content_requests()), before)
        self.door.verify_ledger()

    def release(self, name: str, status: int) -> str:
        digest = self.claims[name].sha256.hex()
        listed = self.door.command("store", "quarantine", "list").stdout.splitlines()
        number = next(line.split()[0] for line in listed if digest in line)
        done = self.door.command("store", "quarantine", "release", "--reason", "wanted", number)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_wrong_files_of_the_configuration(self) -> None:
        broken = self.door.directory / "broken"
        broken.write_text("sha256//short\n")
        own = signer.make()
        right = {"code_signing_pins": own.pins, "code_signing_bundle": own.bundle,
                 "code_signing_crls": []}
        for wrong in ({"code_signing_pins": broken}, {"code_signing_bundle": broken},
                      {"code_signing_crls": [own.revocation_list("200101000000Z"), broken]}):
            settings = right | wrong
            with self.subTest(settings):
                self.door.write_config(**settings)
                done = self.door.command("config", "check")
                self.assertEqual(done.returncode, 78, done.stderr)
                self.assertIn(f"code_signing: {broken}", done.stderr)

    def test_observed_signatures_are_let_through(self) -> None:
        policy = self.door.directory / "own.policy"
        strict = (SOURCE / "policies" / "strict-2026.policy").read_text()
        policy.write_text(re.sub(r"(?m)^(file-signed +|file-digest-strong +)enforce$", r"\1observe",
                                 strict.replace("policy strict-2026", "policy own")))
        self.reload(policy=policy)
        self.assert_passes("tampered.cab")
        count = int(self.door.status()["ledger"]["entries"])
        shown = self.door.command("ledger", "show", str(count - 1)).stdout
        self.assertIn("verdict.observed file-signed", shown)

    def test_a_publisher_for_one_update(self) -> None:
        """Somebody else's key may sign the files of the update that the policy names."""
        strict = (SOURCE / "policies" / "strict-2026.policy").read_text()
        sha1 = self.claims["foreign.cab"].sha1
        mine = next(r for r in self.catalogue.revisions
                    if any(f.claim_sha1 == sha1 for f in r.files))
        other = next(r for r in self.catalogue.revisions if r.update_id != mine.update_id)
        policy = self.door.directory / "own.policy"
        for revision in (other, mine):
            policy.write_text(strict.replace("policy strict-2026", "policy own") +
                              f"\npublisher {self.catalogue.stranger} update "
                              f"{revision.update_id}\n")
            self.reload(policy=policy)
            if revision is other:
                self.refused("foreign.cab", "file-signed", "missing issuer")
        self.assert_passes("foreign.cab")
        self.refused("tampered.cab", "file-signed", "is not the one that was signed")
        self.assert_passes("good.cab")

    def test_nobody_completes_what_is_wrongly_signed(self) -> None:
        for url in (self.door.http_url, self.door.url):
            with self.subTest(url):
                self.nobody_completes(self.claims["large-tampered.cab"], url)
        self.assert_passes("large.cab")

    def test_nobody_completes_it_in_any_order(self) -> None:
        """Pieces of a MiB, up, down and shuffled: the last one never comes."""
        claim = self.claims["large-tampered.cab"]
        last = (LARGE - 1) // MIB * MIB
        for url in (self.door.http_url, self.door.url):
            for order in (list.sort, list.reverse, random.Random(3).shuffle):
                with self.subTest(url, order=order), ThreadPoolExecutor(3) as pool:
                    starts = list(range(0, LARGE, MIB))
                    order(starts)
                    came = list(pool.map(lambda first: self.comes(claim, url, first), starts))
                    self.assertNotIn(last, [s for s, c in zip(starts, came) if c])
        self.assertNotIn(claim.sha256, self.door.objects().values())

    def comes(self, claim, url: str, first: int) -> bool:
        end = min(first + MIB, LARGE) - 1
        try:
            answer = self.wire(url, timeout=60.0).ask(
                "GET", claim.path, {"Range": f"bytes={first}-{end}"})
        except (http.client.HTTPException, OSError):
            return False
        return answer.status == 206 and len(answer.body) == end + 1 - first

    def nobody_completes(self, claim, url: str) -> None:
        starts = [0, 0, LARGE - HOLD - MIB, LARGE - HOLD - 1, LARGE - HOLD, LARGE - 1]
        random.Random(url).shuffle(starts)
        with ThreadPoolExecutor(len(starts)) as pool:
            cut = list(pool.map(lambda first: self.is_cut(claim, url, first), starts))
        self.assertIn(True, cut, "bytes flowed before the verdict")
        self.assertNotIn(claim.sha256, self.door.objects().values())

    def is_cut(self, claim, url: str, first: int) -> bool:
        """Cut before the end, or refused; in no case the bytes that were asked for."""
        wire = self.wire(url, timeout=60.0)
        try:
            answer = wire.ask("GET", claim.path, {"Range": f"bytes={first}-"} if first else {})
        except (http.client.HTTPException, OSError) as cut:
            seen = len(getattr(cut, "partial", b""))
            self.assertLessEqual(first + seen, LARGE - HOLD)
            return True
        self.assertEqual(answer.status, 502, first)
        self.assertIn("file-signed", answer.body.decode())
        return False


if __name__ == "__main__":
    unittest.main()
