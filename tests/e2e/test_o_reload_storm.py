"""A hundred reloads under load, every other one of a configuration that is wrong: nobody who asks
notices, each good one is in force, each bad one is refused with its line, and nothing is left behind."""
import json
import os
import re
import socket
import ssl
import unittest
from pathlib import Path

import harness  # noqa: F401

from catalogue import Catalogue
from gate import hang_up, is_sanitized, wait_until
from load import Load
from scene import Scene

WARM, STORM = 20, 100
LEAK = 4 << 20  # bytes; fifty worlds that nobody frees are more


class Storm(Scene):
    def setUp(self) -> None:
        catalogue = Catalogue(23, 20, 6)
        self.door = self.gate(self.upstream(catalogue), workers=2)
        claims = self.downstream(self.door).sync().claims
        self.paths = [c.path for c in claims.values()]
        wire = self.wire(self.door.http_url)
        for path in self.paths:
            self.assertEqual(wire.ask("GET", path).status, 200)
        self.read = 0
        self.leaves = {name: ssl.PEM_cert_to_DER_cert(self.first(self.pki.pair(name)[0]))
                       for name in ("sallyport", "upstream")}
        self.shown_name = "sallyport"
        self.broken = Path(self.pki.file("broken.pem"))
        self.broken.write_text("no certificate\n")

    @staticmethod
    def first(path: str) -> str:
        text = Path(path).read_text()
        return text[:text.index("-----END CERTIFICATE-----") + 26]

    # ---- one reload -----------------------------------------------------------------------

    def answers(self) -> list[dict]:
        """Log lines about reloads since the last call."""
        with self.door.log_path.open("rb") as log:
            log.seek(self.read)
            data = log.read()
        whole = data[:data.rfind(b"\n") + 1]
        self.read += len(whole)
        return [json.loads(line) for line in whole.splitlines() if b"reload" in line]

    def reload(self, text: str) -> dict:
        self.answers()
        self.door.config.write_text(text)
        hang_up(self.door)
        told: list[dict] = []
        wait_until("an answer", lambda: told.extend(self.answers()) or told)
        self.assertEqual(len(told), 1, told)
        return told[0]

    def shown(self) -> bytes:
        context = ssl.create_default_context(cafile=self.pki.ca)
        with socket.create_connection(("127.0.0.1", self.door.port), 10) as sock, \
                context.wrap_socket(sock, server_hostname="localhost") as tls:
            return tls.getpeercert(True)

    def good(self, number: int) -> None:
        """The other certificate, and a limit that was never there before."""
        self.shown_name = {"sallyport": "upstream", "upstream": "sallyport"}[self.shown_name]
        self.door.write_config(certificate=self.shown_name, peer_rate=1000 + number)
        told = self.reload(self.door.config_text())
        self.assertEqual(told["event"], "reloaded", told)
        for item in ("3 changed", "peer_rate", 'listener "downstream" certificate', "key"):
            self.assertIn(item, told["message"])

    def bad(self, number: int) -> None:
        text = self.door.config_text()
        lines = text.count("\n")
        at = text[:text.index('listener "downstream"')].count("\n") + 1
        cert = self.pki.pair(self.shown_name)[0]
        wrong, part = (
            (text + "frobnicate = 1\n", f"sallyport.conf:{lines + 1}: "),
            (text.replace(cert, str(self.broken)), f"sallyport.conf:{at}: listener"),
            (text.replace("workers = 2", "workers = 3"), "a restart is needed for: workers"),
            (text + "upstream {", f"sallyport.conf:{lines + 1}: "),
            (re.sub(r'pins    = .*', 'pins = { "sha256//x" }', text), "sallyport.conf:"),
        )[number % 5]
        told = self.reload(wrong)
        self.assertEqual((told["event"], told["level"]), ("reload_refused", "error"), told)
        self.assertIn(part, told["message"])
        self.assertIn("the old configuration stays in force", told["message"])

    def storm(self, count: int) -> None:
        for number in range(count):
            leaf = self.leaves[self.shown_name]
            if number % 2:
                self.bad(number // 2)
                self.assertEqual(self.shown(), leaf, "a bad one changes nothing")
            else:
                self.good(number)
                # lanes are told, and take it with their next turn
                wait_until("the certificate",
                           lambda: self.shown() == self.leaves[self.shown_name])

    # ---- what it holds ----------------------------------------------------------------------

    def held(self) -> dict[str, int]:
        pid = self.door.process.pid
        status = Path(f"/proc/{pid}/status").read_text()
        return {"memory": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024,
                "threads": len(os.listdir(f"/proc/{pid}/task")),
                "files": len(os.listdir(f"/proc/{pid}/fd"))}

    def test_a_hundred(self) -> None:
        with Load(self.door, self.paths, self.pki.ca) as load:
            self.storm(WARM)
            before, asked = self.held(), load.done
            self.storm(STORM)
            after = self.held()
            self.assertGreater(load.done, asked)
        self.assertEqual(load.failed, [])
        self.assertEqual(after["threads"], before["threads"])
        # a connection that just comes or goes is one of either
        self.assertLessEqual(after["files"], before["files"] + 8)
        if not is_sanitized():
            self.assertLess(after["memory"], before["memory"] + LEAK)
        self.assertEqual(self.door.status()["ledger"]["entries"] > 0, True)


if __name__ == "__main__":
    unittest.main()
