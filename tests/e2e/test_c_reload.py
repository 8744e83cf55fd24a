"""SIGHUP: certificates, keys, pins, CA files and policy anew; the old set when the new is bad."""
import json
import os
import shutil
import socket
import ssl
import unittest
from pathlib import Path

import harness  # noqa: F401

import catalogue
import soap
from gate import hang_up, is_sanitized, wait_until
from scene import Scene
from wsus_upstream import Upstream


class Reload(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(91, 30, 3, big=0)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up)

    def reload(self, **settings) -> list[dict]:
        """Writes the configuration, hangs up; what the log said about it."""
        before = len(self.door.log())
        self.door.write_config(**settings)
        hang_up(self.door)
        fresh: list[dict] = []

        def told() -> bool:
            fresh[:] = [e for e in self.door.log()[before:] if "reload" in e["event"]]
            return bool(fresh)

        wait_until("a log line about the reload", told)
        return fresh

    def works(self) -> bool:
        with self.fresh() as server:
            try:
                server.authorize()
            except soap.Fault:
                return False
            return True

    def fresh(self):
        return self.downstream(self.door)

    def shown(self) -> bytes:
        """The leaf that the TLS listener shows now."""
        context = ssl.create_default_context(cafile=self.pki.ca)
        with socket.create_connection(("127.0.0.1", self.door.port), 10) as sock, \
                context.wrap_socket(sock, server_hostname="localhost") as tls:
            return tls.getpeercert(True)

    def test_pins(self) -> None:
        self.assertTrue(self.works())
        wrong = [self.pki.pins["client"], self.pki.pins["spare"]]
        self.reload(pins=wrong)
        wait_until("the new pins", lambda: not self.works())
        self.reload(pins=self.door.default_pins())
        wait_until("the old pins", self.works)

    def test_certificate(self) -> None:
        old = self.shown()
        self.reload(certificate="upstream")
        wait_until("the new certificate", lambda: self.shown() != old)
        self.assertTrue(self.works())

    def test_open_connections_stay(self) -> None:
        server = self.fresh()
        server.authorize()
        self.reload(certificate="upstream")
        server.config()

    def test_bad_ones_change_nothing(self) -> None:
        old = self.shown()
        broken = self.pki.directory / "broken.pem"
        broken.write_text("no certificate\n")
        for settings in ({"pins": [self.pki.pins["spare"]]}, {"ca": str(broken)},
                         {"policy": "/nonexistent.policy"}, {"certificate": "broken"},
                         {"plain_http": "perhaps"}):
            with self.subTest(settings):
                good = dict(self.door.settings)
                told = self.reload(**({"certificate": "upstream"} | settings))
                self.assertTrue(any(e["level"] == "error" for e in told), told)
                self.assertEqual(self.shown(), old)
                self.assertTrue(self.works())
                self.assertEqual(self.door.health(), 200)
                self.door.settings.clear()
                self.door.settings.update(good)

    def test_the_ledger_keeps_its_name(self) -> None:
        self.reload(ledger_name="sallyport/another")
        said = [e for e in self.door.log() if e["event"] == "ledger_name_ignored"]
        self.assertEqual(len(said), 1)
        self.assertIn("sallyport/another", str(said[0]))
        self.assertTrue(self.works())
        self.reload(ledger_name="sallyport/another")
        self.assertEqual(len([e for e in self.door.log()
                              if e["event"] == "ledger_name_ignored"]), 1, "said once")

    def test_ports_that_are_new(self) -> None:
        """The sandbox lets it reach the ports it started with; one more takes a restart."""
        away = self.up.url.rsplit(":", 1)[0] + ":"
        self.door.upstream = away + str(self.up.tls.port + 1)
        told = self.reload()
        if any(e["event"] == "reloaded" for e in told):
            print("SKIPPED: this kernel, or a sanitizer, does without a sandbox of ports")
            return
        self.assertIn(f"port {self.up.tls.port + 1} is new", str(told))
        self.assertTrue(self.works())

    # ---- item by item -------------------------------------------------------------------

    def command(self, *words: str) -> dict:
        done = self.door.command("reload", "--json", *words)
        told = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if told["reloaded"] else 1, done.stderr)
        return told

    def test_items(self) -> None:
        self.assertEqual(self.command(), {"reloaded": True, "policy": "strict-2026", "why": "",
                                          "changed": [], "left": [], "more": 0})
        self.door.write_config(peer_rate=77, sandbox="off", ledger_name="sallyport/another")
        ca = Path(self.pki.directory / "again.pem")
        shutil.copy(self.pki.ca, ca)
        self.door.write_config(ca=str(ca))
        told = self.command()
        left = [] if is_sanitized() else [{"item": "", "key": "sandbox", "how": "value"}]
        self.assertEqual(told["left"],
                         [{"item": "", "key": "ledger_name", "how": "value"}] + left)
        self.assertEqual(told["changed"],
                         [{"item": "", "key": "peer_rate", "how": "value"},
                          {"item": 'upstream "head-office"', "key": "ca_file", "how": "value"}])
        said = [e for e in self.door.log() if e["event"] == "left_until_restart"]
        self.assertIn("ledger_name", said[-1]["message"])
        shutil.copy(self.pki.ca, str(ca) + ".new")
        os.replace(str(ca) + ".new", ca)
        self.assertEqual(self.command()["changed"],
                         [{"item": 'upstream "head-office"', "key": "ca_file", "how": "file"}])

    def test_what_takes_a_restart_is_named(self) -> None:
        self.door.write_config(workers=3, peer_rate=77)
        told = self.command()
        self.assertFalse(told["reloaded"])
        self.assertEqual(told["left"], [{"item": "", "key": "workers", "how": "value"}])
        self.assertIn("a restart is needed for: workers; nothing was changed", told["why"])
        done = self.door.command("reload")
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs a restart: workers", done.stdout)
        self.assertTrue(self.works())
        self.door.write_config(workers=2)
        done = self.door.command("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("changed: peer_rate", done.stdout)

    def test_policy(self) -> None:
        from pki import SOURCE
        strict = (SOURCE / "policies" / "strict-2026.policy").read_text()
        loose = self.pki.directory / "loose.policy"
        loose.write_text("\n".join(
            line.replace("enforce", "audit") if line.startswith("revision-immutable") else line
            for line in strict.splitlines()) + "\n")
        server = self.fresh()
        server.sync()
        bundle = self.catalogue.of_kind("bundle")[0]
        self.up.hostile.documents[bundle.update_id] = "change"
        self.assert_refused(lambda: server.update_data([bundle.key]), "revision-immutable")
        self.reload(policy=loose)
        wait_until("the new policy", lambda: self.passes(server, bundle))
        self.assertGreater(self.door.metric("sallyport_would_refuse_total"), 0)

    def passes(self, server, revision) -> bool:
        try:
            server.update_data([revision.key])
        except soap.Fault:
            return False
        return True

    def test_under_load(self) -> None:
        server = self.fresh()
        server.authorize()
        for i in range(20):
            self.door.write_config(certificate=("sallyport", "upstream")[i % 2])
            hang_up(self.door)
            server.update_data([r.key for r in self.catalogue.revisions[:5]])
        self.assertTrue(self.works())

    def test_upstream_gets_a_new_key(self) -> None:
        """The spare pin is for this: the key changes, the pin is already there."""
        work = self.pki.directory / "moved"
        shutil.copytree(self.pki.directory / "hostile", work, dirs_exist_ok=True)
        pins = [self.pki.pins["upstream"], self.pki.hostile_pins["neighbour"]]
        self.reload(pins=pins)
        wait_until("the pins", self.works)
        port = self.up.tls.port
        self.up.close()
        cert = str(work / "neighbour.pem"), str(work / "neighbour.key")
        moved = Upstream(self.catalogue, *cert, port=port)
        self.addCleanup(moved.close)
        wait_until("the new key", self.works)


if __name__ == "__main__":
    unittest.main()
