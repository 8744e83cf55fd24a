"""Every own fixture judged by sallyport and by osslsigncode: the same digest, and the same ruling
but for the differences that DIFFERENCES explains."""
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401  finds tests/support
import installers
import signing
from gate import binary

WEAK = "osslsigncode takes SHA-1 alone for good"
ROOM = "osslsigncode looks only at what is digested, not at room beside it"
CHAINS = "osslsigncode reads each chain alone and stops at the stream's length"
LISTS = "osslsigncode does not read sectors 0 of lists and chains"
ORDER = "osslsigncode walks the whole directory and never searches it"
NAMES = "osslsigncode computes MsiDigitalSignatureEx and does not compare it"
ONE = "osslsigncode is content with one good signature of two"
SECTIONS = "osslsigncode does not look at sections"
DIFFERENCES = {  # file: (osslsigncode passes it, why sallyport decides otherwise)
    **dict.fromkeys(("sha1.exe", "sha1.cab", "sha1.msi", "weak-signature.cat"), (True, WEAK)),
    **dict.fromkeys(("archive.msi", "archive-sector.msi", "odd.msi", "beyond.msi", "header.msi",
                     "slack.msi", "mini_slack.msi", "stain.msi", "orphan.msi", "outlong.msi",
                     "name_tail.msi", "old_entry.msi", "padded.msi", "zeros.msi",
                     "a1-room.exe", "a1-zeros.exe", "a2-archive.cat"), (True, ROOM)),
    **dict.fromkeys(("circle.msi", "leave.msi", "unmarked.msi"), (True, CHAINS)),
    "a4-overlap.exe": (True, SECTIONS),
    "a5-nested.exe": (True, ONE),
    "disorder.msi": (True, ORDER),
    "other-names.msi": (True, NAMES),
    **dict.fromkeys(("deep-lists.msi", "pieces.msi"), (False, LISTS)),
}
# how osslsigncode prints the digest that it computed, and under what sallyport states it
DIGEST = re.compile(r"Calculated (?:message digest|DigitalSignature) +: ([0-9A-F]+)")


@unittest.skipUnless(signing.can_sign(), "nothing signs here")
class Differential(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        signing.write_all(cls.directory)
        installers.spoil(cls.directory)
        cls.files = sorted(p.name for p in cls.directory.iterdir()
                           if p.suffix in (".exe", ".cab", ".msi", ".cat"))

    def run_in(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=self.directory, capture_output=True, text=True,
                              timeout=60)

    def other(self, name: str) -> tuple[bool, set[str]]:
        done = self.run_in("osslsigncode", "verify", "-CAfile", "root.pem", "-TSA-CAfile",
                           "root.pem", "-in", name)
        first = re.findall(DIGEST, done.stdout)[:1] if not name.endswith(".cat") else []
        return done.returncode == 0, {x.lower() for x in first}

    def test_rulings_and_digests(self) -> None:
        done = self.run_in(binary(), "verify", "--json", "--trust", "pins.txt", "--bundle",
                           "bundle.pem", *self.files)
        own = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([x["file.path"][0] for x in own], self.files)
        found = {}
        for name, facts in zip(self.files, own):
            passed, digests = self.other(name)
            if passed != (facts["verdict.ruling"] == ["passed"]):
                found[name] = passed
            if facts.get("sign.digest-good") == [True]:
                self.assertLessEqual(digests, set(facts.get("sign.digest", ())), name)
        self.assertEqual(found, {name: passed for name, (passed, _) in DIFFERENCES.items()})
        self.assertGreater(len(self.files), 80)


if __name__ == "__main__":
    unittest.main()
