"""An upstream that proved itself and lies: refused with the right reason, nothing delivered."""
import http.client
import threading
import time
import unittest

import harness  # noqa: F401

import catalogue
import soap
from gate import is_sanitized, wait_until
from scene import Scene, with_files


class Lied(Scene):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.catalogue = catalogue.Catalogue(41, 60, 20, big=3 << 20, lies=True)

    def setUp(self) -> None:
        self.up = self.upstream(self.catalogue)
        self.door = self.gate(self.up)
        self.server = self.downstream(self.door)
        self.server.authorize()
        self.leaf = with_files(self.catalogue)

    def ask(self) -> None:
        self.server.update_data([self.leaf.key])

    def entries(self) -> int:
        return int(self.door.status()["ledger"]["entries"])


class Documents(Lied):
    """Modes of Hostile.documents and the rule that finds each."""

    UNREADABLE = ("dtd", "entity", "pi", "odd", "surrogate", "cut-cabinet", "flip-cabinet", "bomb")

    def refuse(self, rule: str) -> None:
        before = self.entries()
        self.assert_refused(self.ask, rule)
        self.assertEqual(self.entries(), before + 1, "a refusal is one ledger entry")
        self.up.hostile.reset()
        self.ask()  # the honest neighbour passes, right behind
        self.assertEqual(self.server.synced.documents[self.leaf.key], self.leaf.document)

    def test_changed_revision(self) -> None:
        self.ask()
        self.up.hostile.documents[self.leaf.update_id] = "change"
        self.refuse("revision-immutable")

    def test_changed_revision_after_restart(self) -> None:
        self.ask()
        self.door.restart()
        self.up.hostile.documents[self.leaf.update_id] = "change"
        self.refuse("revision-immutable")

    def test_recompression_is_no_change(self) -> None:
        self.ask()
        _, blob = self.leaf.blob
        other = catalogue.blob_of(self.leaf.document, stored=self.leaf.local_id % 7 != 0)
        self.leaf.blob = other
        self.addCleanup(setattr, self.leaf, "blob", ("XmlUpdateBlobCompressed", blob))
        self.assertNotEqual(other[1], blob)
        self.ask()

    def test_unreadable_documents(self) -> None:
        for mode in self.UNREADABLE:
            with self.subTest(mode):
                self.up.hostile.documents[self.leaf.update_id] = mode
                self.refuse("document-readable")

    def test_document_of_another_revision(self) -> None:
        self.up.hostile.documents[self.leaf.update_id] = "wrong-number"
        self.refuse("identity-equal")

    def test_swapped_ids(self) -> None:
        other = next(r for r in self.catalogue.of_kind("leaf") if r is not self.leaf)
        self.up.hostile.swap = (self.leaf.update_id, other.update_id)
        self.refuse("identity-equal")

    def test_short_digest(self) -> None:
        self.up.hostile.documents[self.leaf.update_id] = "short-digest"
        self.refuse("digests-sound")

    def test_wrong_digest_lists(self) -> None:
        for mode in ("other", "drop", "add"):
            with self.subTest(mode):
                self.up.hostile.digests[self.leaf.update_id] = mode
                self.refuse("file-digests-equal")

    def test_revision_nobody_asked_for(self) -> None:
        self.up.hostile.extra = next(r for r in self.catalogue.of_kind("leaf")
                                     if r is not self.leaf)
        self.refuse("revision-asked")

    def test_one_bad_revision_holds_the_whole_reply(self) -> None:
        keys = [r.key for r in self.catalogue.revisions[:20]] + [self.leaf.key]
        self.up.hostile.documents[self.leaf.update_id] = "dtd"
        self.assert_refused(lambda: self.server.update_data(keys), "document-readable")
        self.assertEqual(self.server.synced.documents, {})


class Replies(Lied):
    def test_malformed_replies(self) -> None:
        for mode in ("dtd", "entity", "pi", "bad-utf8", "wrong-operation", "html", "fault",
                     "unavailable"):
            with self.subTest(mode):
                self.up.hostile.replies = {"GetUpdateData": mode}
                self.assert_refused(self.ask, "reply-wellformed")
        self.up.hostile.reset()
        self.ask()

    def test_redirect_is_not_followed(self) -> None:
        before = len(self.up.requests())
        self.up.hostile.replies = {"GetUpdateData": "redirect"}
        self.assert_fault(self.ask, "head-office.*redirect")
        self.assertEqual(len(self.up.requests()), before + 1)

    def test_replies_that_do_not_decode(self) -> None:
        for mode in ("unknown-coding", "false-gzip"):
            with self.subTest(mode):
                self.up.hostile.replies = {"GetUpdateData": mode}
                self.assert_fault(self.ask, "coding|gzip")
        self.up.hostile.reset()
        self.ask()

    def test_replies_that_do_not_end(self) -> None:
        for mode in ("truncated", "truncated-chunked", "reset"):
            with self.subTest(mode):
                self.up.hostile.replies = {"GetUpdateData": mode}
                self.assert_fault(self.ask, "head-office.*(closed|broke)")
        self.up.hostile.reset()
        self.ask()

    def test_bombs(self) -> None:
        self.ask()
        before = self.door.memory()
        for mode in ("gzip-bomb", "xpress-bomb"):
            with self.subTest(mode):
                self.up.hostile.replies = {"GetUpdateData": mode}
                self.assert_fault(self.ask, "limit|large|blow|ratio|more than")
        self.up.hostile.replies = {}
        self.up.hostile.documents[self.leaf.update_id] = "bomb"
        self.assert_refused(self.ask, "document-readable")
        if not is_sanitized():
            self.assertLess(self.door.memory() - before, 160 << 20)

    def test_absolute_service_url(self) -> None:
        self.up.hostile.replies = {"GetAuthConfig": "absolute-url"}
        self.assert_refused(self.server.authorize, "service-url-relative")
        self.up.hostile.reset()
        self.server.authorize()

    def test_slow_reply_holds_nobody_else(self) -> None:
        self.up.hostile.replies = {"GetUpdateData": "dribble"}
        patient = self.downstream(self.door, timeout=2.0)
        patient.cookie = self.server.cookie
        started = time.monotonic()
        waiting = threading.Thread(target=self._expect_silence, args=(patient,))
        waiting.start()
        for _ in range(20):
            self.server.config()
        self.assertLess(time.monotonic() - started, 2.0, "others had to wait")
        waiting.join()
        self.assertFalse(patient.synced.documents)
        self.up.hostile.reset()
        self.ask()

    def _expect_silence(self, server) -> None:
        try:
            server.update_data([self.leaf.key])
        except (TimeoutError, OSError, http.client.HTTPException):
            return
        raise AssertionError("a dribbled reply was answered in time")

    def test_true_faults_pass(self) -> None:
        """A fault of the upstream itself is relayed as it is."""
        self.assert_fault(lambda: self.server.update_data(
            [("00000000-0000-0000-0000-000000000001", 1)]), "^$", codes=("InternalServerError",))
        self.up.cookies.clear()  # the upstream forgot whom it knew
        with self.assertRaises(soap.Fault) as caught:
            self.server.config()
        self.assertEqual(caught.exception.code, "InvalidCookie")
        self.assertIn(self.up.url, caught.exception.actor)


class Files(Lied):
    def setUp(self) -> None:
        super().setUp()
        self.server.sync()
        honest = [c for c in self.server.synced.claims.values() if "lie" not in c.name]
        self.claim = max(honest, key=lambda c: c.size)
        self.http = self.wire(self.door.http_url)

    def fetch(self, path: str, statuses: tuple[int, ...], pattern: str) -> None:
        answer = self.http.ask("GET", path)
        text = answer.body.decode(errors="replace")
        self.assertIn(answer.status, statuses, text[:300])
        self.assertLess(len(text), 2000, "content of the file came along")
        self.assertRegex(text, pattern)
        self.assertTrue(answer.headers["content-type"].startswith("text/plain"))
        self.door.check_objects()

    def recovers(self) -> None:
        self.up.hostile.reset()
        self.server.download(self.claim)

    def test_digest_mismatch_names_the_digest(self) -> None:
        for kind, pattern in (("sha1", "SHA-1"), ("sha256", "SHA-256"), ("size", "[Ss]ize|bytes")):
            with self.subTest(kind):
                before = self.door.metric("sallyport_content_verify_total", result="refused")
                self.fetch(self.catalogue.liars[kind].path, (502,), f"(?s)entry \\d+.*{pattern}")
                after = self.door.metric("sallyport_content_verify_total", result="refused")
                self.assertEqual(after, before + 1)
        quarantine = [p.name for p in (self.door.cache_dir / "quarantine").glob("*")]
        self.assertTrue(any(n.endswith("file-sha1") for n in quarantine), quarantine)
        self.assertTrue(any(n.endswith("file-sha256") for n in quarantine), quarantine)

    def test_flipped_bit(self) -> None:
        self.up.hostile.content["*"] = "flip"
        self.fetch(self.claim.path, (502,), "SHA-1")
        for first in (0, 1 << 20, self.claim.size - 1):  # no part of it either
            answer = self.http.ask("GET", self.claim.path, {"Range": f"bytes={first}-{first}"})
            self.assertEqual(answer.status, 502)
        self.recovers()

    def test_next_ask_comes_on_another_connection(self) -> None:
        self.up.hostile.content["*"] = "flip"
        self.fetch(self.claim.path, (502,), "SHA-1")
        self.recovers()
        carried = [[r.target for r in c.requests] for s in self.up.servers for c in s.connections]
        brought = [t for t in carried if any(r.startswith("/Content/") for r in t)]
        self.assertEqual(len(brought), 2)
        self.assertEqual(len(brought[1]), 1, "made for this file alone")

    def test_wrong_length(self) -> None:
        for mode in ("short", "long", "endless", "html"):
            with self.subTest(mode):
                self.up.hostile.content["*"] = mode
                self.fetch(self.claim.path, (502,), "[Ss]ize|bytes|long|length")
        self.recovers()

    def test_cut_off(self) -> None:
        for mode in ("truncated", "reset"):
            with self.subTest(mode):
                self.up.hostile.content["*"] = mode
                self.fetch(self.claim.path, (502, 503, 504), "head-office")
        self.recovers()

    def test_other_answers(self) -> None:
        for mode, status in (("redirect", (502,)), ("503", (502, 503)), ("gzip", (502,))):
            with self.subTest(mode):
                self.up.hostile.content["*"] = mode
                self.fetch(self.claim.path, status, "upstream")
        self.recovers()

    def test_not_there_yet(self) -> None:
        """404 is believed for some seconds, and never for ever."""
        self.up.hostile.content["*"] = "404"
        self.fetch(self.claim.path, (404,), "upstream")
        asked = len(self.up.content_requests())
        answer = self.http.ask("GET", self.claim.path)
        self.assertEqual((answer.status, answer.headers["retry-after"]), (404, "10"))
        self.assertEqual(len(self.up.content_requests()), asked)
        self.up.hostile.reset()
        self.assertEqual(self.http.ask("GET", self.claim.path).status, 404)
        wait_until("another look", lambda: self.http.ask("GET", self.claim.path).status == 200)
        self.recovers()

    def test_slow_file_holds_nobody_else(self) -> None:
        self.up.hostile.content[self.claim.sha1.hex().upper()] = "dribble"
        slow = self.wire(self.door.http_url, timeout=1.0)
        with self.assertRaises(TimeoutError):
            slow.ask("GET", self.claim.path)
        for claim in self.server.synced.claims.values():
            if "lie" not in claim.name and claim is not self.claim:
                self.server.download(claim)
        self.assertEqual(
            [d.hex() for d in self.door.objects().values() if d == self.claim.sha256], [])

    def test_refusals_are_in_the_ledger(self) -> None:
        self.up.hostile.content["*"] = "flip"
        self.fetch(self.claim.path, (502,), "SHA-1")
        wait_until("the entry", lambda: self.entries() > len(self.catalogue.revisions))
        number = self.entries() - 1
        self.assertEqual(self.door.stop(), 0)
        self.door.verify_ledger()
        shown = self.door.command("ledger", "show", str(number)).stdout
        self.assertIn("verdict.rule file-sha1", shown)
        self.assertIn(self.claim.sha1.hex(), shown)


if __name__ == "__main__":
    unittest.main()
