"""What `sallyport status` says to a person: the chain as the page has it, on terminals of any width
and in both languages."""
import os
import unicodedata
import unittest

import harness  # noqa: F401

import catalogue
import soap
from gate import run, wait_until
from scene import Scene

SERVER_ASKS = ("/ServerSyncWebService/ServerSyncWebService.asmx",
               f"{soap.S}/GetAuthConfig", soap.request("GetAuthConfig", soap.S, ""))
CLIENT_ASKS = ("/ClientWebService/client.asmx", f"{soap.C}/GetConfig", soap.client_request(
    "GetConfig", soap.C, "<protocolVersion>2.90</protocolVersion>"))


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Status(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(7, 20, 3)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)

    def say(self, door, language: str = "C.UTF-8", width: str = "") -> str:
        env = {k: v for k, v in os.environ.items()
               if k != "LANGUAGE" and not k.startswith(("LC_", "COLUMNS"))}
        done = run("status", "-c", str(door.config),
                   env={**env, "LANG": language, **({"COLUMNS": width} if width else {})})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def asked(self, door, servers: int, clients: int) -> None:
        def there() -> bool:
            now = door.status()["downstreams"]
            return (len(now["servers"]), now["clients"]["count"]) == (servers, clients)
        wait_until("all are remembered", there)

    def test_downstreams(self) -> None:
        door = self.gate(self.up, plain_http="observe")
        self.assertRegex(self.say(door), r"(?m)^downstream no server has asked since the start$")
        plain = door.http_url.replace("localhost", "127.0.0.1")
        self.wire(door.url, source="127.0.0.2").post(*SERVER_ASKS)
        self.wire(plain, source="127.0.0.3").post(*SERVER_ASKS)
        self.wire(plain, source="127.0.0.4").post(*CLIENT_ASKS)
        self.asked(door, 2, 1)
        text = self.say(door)
        self.assertRegex(text, r"(?m)^downstream 127\.0\.0\.2 over TLSv1\.3, last seen "
                               r"\d{4}-\d\d-\d\dT\S+Z; requests: 1\n +no client certificate$")
        self.assertRegex(text, r"(?m)^downstream 127\.0\.0\.3 over plain HTTP, last seen \S+; "
                               r"requests: 1\n +over plain HTTP: 1$")
        self.assertRegex(text, r"(?m)^clients +1; requests: 1, over plain HTTP: 1$")
        self.assertRegex(text, r"(?m)^listener +downstream-http on .*; connections: \d+$")

    def test_certificates_and_widths(self) -> None:
        door = self.gate(self.up, client_ca=self.pki.file("client-ca.pem"), plain_http="audit",
                         upstream_name="an-upstream-with-a-long-name.corp.example")
        self.wire(door.url, pair=self.pki.pair("client")).post(*SERVER_ASKS)
        self.wire(door.http_url).post(*CLIENT_ASKS)
        self.asked(door, 1, 1)
        pin = door.status()["downstreams"]["servers"][0]["pin"]
        self.assertIn(f"certificate {pin}\n", self.say(door))
        for language, words in (("C.UTF-8", ("downstream", "certificate", "plain HTTP")),
                                ("ja_JP.UTF-8", ("ダウンストリーム", "証明書", "平文の HTTP"))):
            for width in (100, 80, 60):
                with self.subTest(language=language, width=width):
                    text = self.say(door, language, str(width))
                    for word in (pin, *words):
                        self.assertIn(word, text)
                    self.assertEqual([x for x in text.splitlines() if columns(x) > width], [])
                    self.assertRegex(text, rf"(?m)^{words[0]}{':' if width == 60 else ''} +127")


if __name__ == "__main__":
    unittest.main()
