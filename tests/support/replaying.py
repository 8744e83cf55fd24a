"""Recorded requests sent through sallyport to an upstream that answers with recorded bytes."""
import coding
import corpus
from gate import Gate
from replay_upstream import ReplayUpstream
from scene import Scene

CODINGS = ("identity", "chunked", "gzip", "xpress")


class Replaying(Scene):
    """folder is set by the test program."""

    folder = ""

    def dialogue(self, mode: str) -> tuple[list[corpus.Recorded], ReplayUpstream, Gate]:
        recorded = corpus.dialogue(self.folder)
        self.assertGreater(len(recorded), 10)
        upstream = ReplayUpstream(recorded, *self.pki.pair("upstream"), mode=mode)
        self.addCleanup(upstream.close)
        return recorded, upstream, self.gate(upstream.url)

    def send(self, gate: Gate, entry: corpus.Recorded, accept: str) -> bytes:
        """The recorded request with its own heads; the decoded body after checking the head."""
        heads = {"Content-Type": entry.request_headers["content-type"],
                 "SOAPAction": entry.request_headers["soapaction"]}
        for name in ("user-agent", "ms-cv", "cache-control", "pragma"):
            if name in entry.request_headers:
                heads[name] = entry.request_headers[name]
        if accept:
            heads["Accept-Encoding"] = accept
        answer = self.wire(gate.url).ask("POST", entry.target, heads, entry.request)
        self.assertEqual(answer.status, entry.status,
                         f"{entry.name} {entry.operation}: {answer.body[:600]!r}")
        self.assertEqual(answer.headers["content-type"], entry.response_headers["content-type"])
        if answer.coding:
            self.assertEqual(answer.coding, accept)
        return coding.decode(answer.coding, answer.body)

    def replay(self, mode: str, accept: str) -> None:
        """All of it, in order: byte-identical after the coding, every request recognised."""
        recorded, upstream, gate = self.dialogue(mode)
        for entry in recorded:
            self.assertEqual(self.send(gate, entry, accept), entry.response,
                             f"{entry.name} {entry.operation}")
        self.assertEqual(upstream.unknown, [])
        self.assertEqual(upstream.strays, [], "what was asked upstream says something else")
        self.assertEqual(gate.metric("sallyport_refusals_total"), 0, "a false refusal")
        self.assertEqual(gate.stop(), 0)
        gate.verify_ledger()
