"""The switch that stops all metadata: at once, over restarts, and said everywhere."""
import threading
import unittest

import harness  # noqa: F401

import catalogue
from gate import Gate, wait_until
from scene import Scene

BUSY = ("ServerBusy",)


class Lockdown(Scene):
    def setUp(self) -> None:
        self.up = self.upstream(catalogue.Catalogue(5, 20, 3, big=0))
        self.door = self.gate(self.up)

    def throw(self, word: str) -> str:
        done = self.door.command("lockdown", word)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def assert_stopped(self, gate: Gate) -> None:
        before = len(self.up.requests())
        self.assert_fault(self.downstream(gate).authorize, "lockdown on", BUSY)
        self.assert_fault(self.agent(gate).register, "lockdown on", BUSY)
        self.assertEqual(len(self.up.requests()), before)
        self.assertIs(gate.status()["lockdown"], True)
        self.assertEqual(gate.metric("sallyport_lockdown"), 1)

    def test_on_restart_off(self) -> None:
        server = self.downstream(self.door)
        server.sync()
        claim = next(iter(server.synced.claims.values()))
        self.assertIn("stopped", self.throw("on"))
        self.assert_stopped(self.door)
        server.download(claim)  # what is proven flows on
        self.assertIn("LOCKDOWN", self.door.command("status").stdout)
        self.throw("on")  # once more changes nothing
        self.door.restart()
        self.assert_stopped(self.door)
        self.assertIn("passes again", self.throw("off"))
        self.assertIs(self.door.status()["lockdown"], False)
        server.sync()
        self.assertTrue([e for e in self.door.log() if e.get("event") == "lockdown"])
        self.door.stop()
        ledger = self.door.command("ledger", "list").stdout
        self.assertEqual(ledger.count(" lockdown "), 3, ledger)  # on, on at the start, off
        self.door.verify_ledger()

    def test_without_a_daemon(self) -> None:
        self.door.stop()
        self.assertIn("no daemon", self.throw("on"))
        self.door.start()
        self.assert_stopped(self.door)
        self.door.stop()
        self.assertIn("no daemon", self.throw("off"))
        self.door.start()
        self.downstream(self.door).authorize()

    def test_what_is_under_way_is_stopped_too(self) -> None:
        """The upstream has been asked and answers after the switch was thrown."""
        server = self.downstream(self.door)
        server.authorize()
        keys = server.revision_ids(False)
        self.up.hostile.pace = 3.0
        faults: list[BaseException] = []

        def ask() -> None:
            try:
                server.update_data(keys[:3])
            except BaseException as fault:  # noqa: BLE001 - told by the test
                faults.append(fault)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until("the upstream is asked",
                   lambda: any("GetUpdateData" in r.header("SOAPAction")
                               for r in self.up.requests()))
        self.throw("on")
        thread.join()
        self.assertRegex(str(faults), "ServerBusy.*lockdown on")

    def test_other_words(self) -> None:
        for words in ((), ("maybe",), ("on", "off")):
            self.assertEqual(self.door.command("lockdown", *words).returncode, 64)


if __name__ == "__main__":
    unittest.main()
