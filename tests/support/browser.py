"""A headless Chromium over its debugging pipe: pages opened, looked at and photographed.

The protocol is JSON with a zero byte behind each message, on descriptors 3 and 4.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def program() -> str:
    """Its path; empty where no Chromium is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""


class Browser:
    def __init__(self) -> None:
        self._home = tempfile.mkdtemp(prefix="sallyport-browser-")
        commands, self._to = os.pipe()
        self._from, answers = os.pipe()

        def place() -> None:
            """3 and 4 may be taken by the pipes themselves: first out of the way."""
            above = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (commands, answers)]
            os.dup2(above[0], 3)
            os.dup2(above[1], 4)

        self._process = subprocess.Popen(
            [program(), "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe",
             f"--user-data-dir={self._home}", "--no-proxy-server", "about:blank"],
            pass_fds=(3, 4), preexec_fn=place, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._number = 0
        self.complaints: list[str] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = ""
        self._session = self._ask("Target.attachToTarget", targetId=target,
                                  flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Page"):
            self._ask(f"{domain}.enable")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._home, ignore_errors=True)

    # ---- the protocol -------------------------------------------------------------------

    def _receive(self, deadline: float) -> dict:
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self._from, 1 << 16)
            if not more:
                raise EOFError("the browser is gone")
            self._buffer += more
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def _note(self, message: dict) -> None:
        """What a page says on its console, or throws, or what its policy forbids."""
        method, of = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(of["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and of["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(of["args"]))
        elif method == "Log.entryAdded" and of["entry"]["level"] in ("error", "warning"):
            self.complaints.append(of["entry"]["text"] + " " + of["entry"].get("url", ""))

    def _ask(self, method: str, **params) -> dict:
        self._number += 1
        ask = {"id": self._number, "method": method, "params": params}
        if getattr(self, "_session", ""):
            ask["sessionId"] = self._session
        os.write(self._to, json.dumps(ask).encode() + b"\0")
        deadline = time.monotonic() + 60
        while True:
            message = self._receive(deadline)
            if message.get("id") != self._number:
                self._note(message)
            elif "error" in message:
                raise RuntimeError(f"{method}: {message['error']}")
            else:
                return message["result"]

    # ---- what a test does ---------------------------------------------------------------

    def set(self, width: int, scheme: str, language: str) -> None:
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=False)
        self._ask("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._ask("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=language)

    def open(self, url: str) -> None:
        self.complaints.clear()
        self._ask("Page.navigate", url=url)

    def value(self, expression: str):
        result = self._ask("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def wait(self, expression: str, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not self.value(expression):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {expression}; {self.complaints}")
            time.sleep(0.05)

    def photograph(self, path: Path) -> None:
        shot = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
