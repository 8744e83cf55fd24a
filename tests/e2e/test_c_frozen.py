"""A freeze: an upstream that proves itself, answers well, and has brought nothing for many days. The
calendar of the program is set, so nobody waits."""
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from gate import Gate, is_sanitized, wait_until
from pki import SOURCE
from scene import Scene
from wsus_upstream import Upstream


def page(gate: Gate) -> dict:
    return json.loads(gate.admin("/posture")[1])


def reasons(gate: Gate) -> list[str]:
    return [r["reason"] for row in page(gate)["upstreams"] for r in row["reasons"]]


class Frozen(Scene):
    def setUp(self) -> None:
        self.files = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def later(self, days: int) -> dict[str, str]:
        """The environment of a program whose calendar stands days later."""
        if is_sanitized():
            print("SKIPPED: a sanitizer lets nothing be preloaded")
            raise unittest.SkipTest("sanitized")
        subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", self.files / "later.so",
                        SOURCE / "tests" / "support" / "later.c", "-ldl"], check=True)
        return {"LD_PRELOAD": str(self.files / "later.so"), "LATER_SECONDS": str(days * 86400)}

    def freezing(self, days: int, mode: str = "enforce") -> tuple[Upstream, Gate]:
        upstream = self.upstream(Catalogue(7, 20, 3, 0))
        policy = self.files / "policy"
        text = (SOURCE / "policies" / "strict-2026.policy").read_text()
        policy.write_text(re.sub("(?m)^(metadata-fresh +)audit$", rf"\1{mode}", text))
        env = self.later(days)
        gate = self.gate(upstream, posture="standard", policy=policy)
        self.downstream(gate).sync()
        self.wait_for(gate, "conforming")
        gate.stop()
        gate.env = env
        gate.start()
        return upstream, gate

    def wait_for(self, gate: Gate, wanted: str, seconds: float = 20.0) -> None:
        wait_until(wanted, lambda: page(gate)["posture"] == wanted, seconds)

    def test_what_answers_and_brings_nothing_is_frozen(self) -> None:
        upstream, gate = self.freezing(12)
        self.wait_for(gate, "non-conforming")
        self.assertEqual(reasons(gate), ["frozen"])
        self.assertEqual(gate.admin("/posture")[0], 503)
        done = gate.command("posture")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing new came for 12 days", done.stdout)
        held = upstream.catalogue
        held._category("Product", "Fabrikam 12")
        held.by_key[held.revisions[-1].key] = held.revisions[-1]
        upstream.counter += 1
        self.downstream(gate).sync()  # something new: it is over, within seconds
        self.wait_for(gate, "conforming", 40)
        events = [line["posture"] for line in gate.log() if line["event"] == "posture"]
        self.assertEqual(events, ["conforming", "non-conforming", "conforming"])
        gate.verify_ledger()

    def not_frozen(self, days: int, mode: str) -> None:
        """Whether a second Tuesday lies in between depends on today, and is a reason as well."""
        _, gate = self.freezing(days, mode)
        wait_until("a pass", lambda: "last_pass" in page(gate)["upstreams"][0])
        missed = "second Tuesday" in page(gate)["upstreams"][0]["why"]
        self.assertEqual(reasons(gate), ["frozen"] if missed else [])
        self.assertFalse(missed and mode == "audit")

    def test_a_day_less_is_no_freeze(self) -> None:
        self.not_frozen(10, "enforce")

    def test_one_that_is_only_listed_is_no_reason(self) -> None:
        self.not_frozen(12, "audit")


if __name__ == "__main__":
    unittest.main()
