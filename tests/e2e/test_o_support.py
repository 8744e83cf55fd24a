"""sallyport support-bundle: everything somebody who helps needs, and nothing that opens a door."""
import json
import os
import stat
import tarfile
import tempfile
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from gate import run
from scene import Scene

PARTS = ["README.txt", "versions.txt", "config.conf", "policy.policy", "doctor.json", "status.json",
         "posture.json", "history.json", "metrics.txt"]


class Bundle(Scene):
    def setUp(self) -> None:
        room = tempfile.TemporaryDirectory()
        self.addCleanup(room.cleanup)
        self.file = Path(room.name) / "bundle.tar"

    def parts(self) -> dict[str, str]:
        with tarfile.open(self.file) as tar:
            self.assertEqual({m.mode for m in tar}, {0o600})
            return {m.name.removeprefix("sallyport-support/"): tar.extractfile(m).read().decode()
                    for m in tar}

    def test_a_running_gate(self) -> None:
        gate = self.gate(self.upstream(Catalogue(5, 10, 2)), allow=["127.0.0.0/8", "10.77.8.9/32"])
        self.downstream(gate).sync()
        done = run("support-bundle", "-c", str(gate.config), str(self.file))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        parts = self.parts()
        self.assertEqual(list(parts), PARTS)
        self.assertEqual(json.loads(parts["status.json"])["policy"], "strict-2026")
        self.assertGreater(json.loads(parts["status.json"])["ledger"]["revisions"], 0)
        self.assertIn("findings", json.loads(parts["doctor.json"]))
        self.assertIn("sallyport_build_info", parts["metrics.txt"])
        self.assertIn("policy strict-2026", parts["policy.policy"])
        self.assertIn("libcrypto.so", parts["versions.txt"])
        every = "".join(parts.values())
        self.assertNotIn("PRIVATE KEY", every)
        self.assertNotIn("10.77.8.9", every)
        self.assertIn("peer-1/32", parts["config.conf"])

    def test_addresses_on_demand(self) -> None:
        gate = self.gate(self.upstream(Catalogue(5, 10, 2)), allow=["127.0.0.0/8", "10.77.8.9/32"])
        run("support-bundle", "-c", str(gate.config), "--addresses", str(self.file))
        self.assertIn("10.77.8.9/32", self.parts()["config.conf"])

    def test_nothing_runs_and_nothing_is_right(self) -> None:
        config = Path(str(self.file) + ".conf")
        config.write_text("upstream {\n")
        done = run("support-bundle", "-c", str(config), str(self.file))
        self.assertEqual(done.returncode, 0, done.stderr)
        parts = self.parts()
        self.assertEqual(list(parts), PARTS)
        self.assertIn("not to be had: ", parts["config.conf"])
        self.assertIn("not to be had: ", parts["status.json"])

    def test_what_is_there_is_not_overwritten(self) -> None:
        self.file.write_text("mine")
        done = run("support-bundle", "-c", "/nonexistent", str(self.file))
        self.assertEqual(done.returncode, 73)
        self.assertIn("File exists", done.stderr)
        self.assertEqual(self.file.read_text(), "mine")
        os.unlink(self.file)
        self.file.symlink_to("/dev/null")
        self.assertEqual(run("support-bundle", "-c", "/nonexistent", str(self.file)).returncode, 73)


if __name__ == "__main__":
    unittest.main()
