"""Posture: pulled by command, HTTP and metric; at start, on request, by itself when things mend."""
import json
import unittest

import harness  # noqa: F401

from catalogue import Catalogue
from gate import Gate, wait_until
from httpd import Reply, Request
from scene import Scene
from wsus_upstream import Upstream


class Moody(Upstream):
    """Answers server sync with a plain 500 while it is in a bad mood."""

    bad = False

    def handle(self, request: Request) -> Reply:
        if self.bad and "ServerSync" in request.target:
            return Reply(500, [("Content-Type", "text/plain")], b"come again")
        return super().handle(request)


def state(gate: Gate) -> str:
    return json.loads(gate.admin("/posture")[1])["posture"]


def reasons(gate: Gate) -> list[str]:
    rows = json.loads(gate.admin("/posture")[1])["upstreams"]
    return [r["reason"] for row in rows for r in row["reasons"]]


def events(gate: Gate) -> list[str]:
    return [line["posture"] for line in gate.log() if line["event"] == "posture"]


class Posture(Scene):
    def moody(self) -> Moody:
        upstream = Moody(Catalogue(7, 20, 3, 0), *self.pki.pair("upstream"))
        self.addCleanup(self._close_upstream, upstream)
        return upstream

    def wait_for(self, gate: Gate, wanted: str, seconds: float = 20.0) -> None:
        wait_until(f"{wanted}, and it is {gate.admin('/posture')[1]}",
                   lambda: state(gate) == wanted, seconds)

    def test_a_start_verifies_and_says_how_often(self) -> None:
        gate = self.gate(self.moody(), posture="standard", posture_interval=1)
        self.wait_for(gate, "conforming")
        said = next(line for line in gate.log() if line["event"] == "posture_interval")
        self.assertRegex(said["message"], r"every 3 minutes \(profile standard: 60, at least 3, "
                                          r"at most 300; posture_interval is outside")
        status, body = gate.admin("/posture")
        page = json.loads(body)
        self.assertEqual((status, page["interval_minutes"], page["profile"]), (200, 3, "standard"))
        done = gate.command("posture")
        self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (0, "conforming"))
        self.assertEqual(json.loads(gate.command("posture", "--json").stdout), page)
        self.assertEqual(gate.metric("sallyport_compliance_state", upstream="head-office"), 1)
        wait_until("the entry", lambda: gate.status()["ledger"]["entries"] == 1)
        listed = gate.command("ledger", "show", "0").stdout
        self.assertIn("entry.kind posture\n", listed)
        self.assertIn("posture conforming\n", listed)
        gate.stop()
        self.assertEqual(gate.command("posture").returncode, 2)

    def test_b_what_cannot_be_found_out_mends_by_itself(self) -> None:
        upstream = self.moody()
        upstream.bad = True
        gate = self.gate(upstream, posture="long")
        wait_until("a reason", lambda: reasons(gate))
        self.assertEqual((state(gate), reasons(gate)), ("unknown", ["no-service"]))
        self.assertEqual(gate.admin("/posture")[0], 503)
        done = gate.command("posture")
        self.assertEqual(done.returncode, 2)
        self.assertIn("status 500", done.stdout)
        self.assertEqual(gate.metric("sallyport_compliance_state"), 0)
        asked = len(upstream.requests())
        upstream.bad = False
        self.wait_for(gate, "conforming", 40)
        self.assertGreater(len(upstream.requests()), asked)
        self.assertEqual(events(gate), ["unknown", "conforming"])

    def test_c_a_damaged_ledger_is_found(self) -> None:
        gate = self.gate(self.moody(), posture="standard")
        self.wait_for(gate, "conforming")
        entries = gate.state_dir / "ledger" / "tile" / "entries" / "000.p"
        wait_until("the entry", lambda: (entries / "1").exists())
        path = entries / "1"
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"posture", b"pasture", 1))
        self.assertEqual(gate.command("recheck").returncode, 0)
        self.wait_for(gate, "non-conforming")
        self.assertEqual(reasons(gate), ["ledger-damaged"])
        self.assertEqual(gate.command("posture").returncode, 1)
        gate.command("recheck")  # the entry of the change made the file anew
        self.wait_for(gate, "conforming")

    def test_d_an_upstream_that_cannot_prove_itself(self) -> None:
        wrong = [self.pki.pins["spare"], "sha256//" + "A" * 43 + "="]
        gate = self.gate(self.moody(), posture="standard", pins=wrong)
        self.wait_for(gate, "non-conforming")
        self.assertEqual(reasons(gate), ["unproven"])
        self.assertEqual(gate.command("posture").returncode, 1)
        gate.write_config(pins=gate.default_pins())
        gate.signal(1)
        self.wait_for(gate, "conforming")
        self.assertEqual(events(gate), ["non-conforming", "conforming"])

    def test_e_off_is_unknown(self) -> None:
        gate = self.gate(self.moody())
        self.assertEqual((state(gate), gate.command("posture").returncode), ("unknown", 2))
        self.assertEqual(json.loads(gate.admin("/posture")[1])["profile"], "off")


if __name__ == "__main__":
    unittest.main()
