"""How the stand-in upstream lies: one switchboard, set at run time, nothing on by default."""
import base64
import threading
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import cabinet
import catalogue
import coding
from httpd import Reply

DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'


@dataclass
class Hostile:
    """What is wrong at the moment.

    documents: UpdateID -> change | dtd | entity | pi | bomb | odd | surrogate | cut-cabinet |
               flip-cabinet | wrong-number | short-digest
    digests:   UpdateID -> other | drop | add (what FileDigestList says against the document)
    swap:      two UpdateIDs whose documents are exchanged
    extra:     a revision that is put into every GetUpdateData reply
    replies:   operation -> see reply_of
    content:   upper-case SHA-1 of the path, or "*" -> see content_of
    """

    documents: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    swap: tuple[str, str] | None = None
    extra: catalogue.Revision | None = None
    replies: dict[str, str] = field(default_factory=dict)
    content: dict[str, str] = field(default_factory=dict)
    pace: float = 0.0  # seconds before each reply of GetUpdateData and each MiB of content
    hold: threading.Event | None = None  # every SOAP reply waits for it
    cuts: list[int] = field(default_factory=list)  # next content answers end after so many bytes
    ignore_ranges: bool = False
    changed: str = ""  # put into the ETag of content
    last_byte: threading.Event | None = None  # the last byte of content waits for it
    stall: tuple[int, threading.Event] | None = None  # open-ended answers wait before this byte
    stall_sides: threading.Event | None = None  # answers to closed ranges wait for it
    sides: str = ""  # what is wrong with answers to closed ranges, see side_of
    flips: list[int] = field(default_factory=list)  # bytes of content that are wrong

    def reset(self) -> None:
        self.__dict__.update(Hostile().__dict__)


def _compressed(document: str) -> tuple[str, bytes]:
    return "XmlUpdateBlobCompressed", cabinet.write(document.encode("utf-16-le"))


def _flip_cabinet(document: str) -> tuple[str, bytes]:
    name, data = _compressed(document)
    at = len(data) - 20
    return name, data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def blob(revision: catalogue.Revision, mode: str) -> tuple[str, str]:
    """The blob element of a revision under a mode; "" is the honest one."""
    document = revision.document
    if not mode:
        return revision.blob
    if mode == "short-digest":
        sha256 = revision.files[0].claim_sha256
        document = document.replace(catalogue.b64(sha256), catalogue.b64(sha256[:31]))
        return catalogue.blob_of(document)
    if mode in TEXT_MODES:
        changed = TEXT_MODES[mode](document)
        if changed == document:
            raise ValueError(f"mode {mode} does not change this document")
        return catalogue.blob_of(changed)
    name, data = BLOB_MODES[mode](document)
    return name, catalogue.b64(data)


def _wrong_number(document: str) -> str:
    at = document.index('RevisionNumber="') + len('RevisionNumber="')
    return document[:at] + "9" + document[at:]


TEXT_MODES = {
    "change": lambda d: d.replace("</upd:Title>", " (revised)</upd:Title>", 1),
    "dtd": lambda d: "<!DOCTYPE upd:Update>" + d,
    "entity": lambda d: DOCTYPE + d.replace("</upd:Title>", "&a;</upd:Title>", 1),
    "pi": lambda d: "<?sallyport test?>" + d,
    "wrong-number": _wrong_number,
}
BLOB_MODES = {
    "bomb": lambda d: _compressed(d + " " * (96 << 20)),
    "odd": lambda d: ("XmlUpdateBlobCompressed", cabinet.write(d.encode("utf-16-le")[:-1])),
    "surrogate": lambda d: ("XmlUpdateBlobCompressed", cabinet.write(
        d.replace("</upd:Title>", "\ud800</upd:Title>", 1).encode("utf-16-le", "surrogatepass"))),
    "cut-cabinet": lambda d: ("XmlUpdateBlobCompressed", _compressed(d)[1][:-9]),
    "flip-cabinet": _flip_cabinet,
}


def digest_list(revision: catalogue.Revision, mode: str) -> list[bytes]:
    digests = [f.claim_sha1 for f in revision.files]
    if mode == "drop":
        return digests[1:]
    if mode == "other":
        return [bytes(20), *digests[1:]]
    if mode == "add":
        return [*digests, bytes(range(20))]
    return digests


def _replaced(body: bytes, old: bytes, new: bytes) -> bytes:
    if old not in body:
        raise ValueError(f"{old!r} is not in the reply")
    return body.replace(old, new, 1)


def reply_of(mode: str, body: bytes) -> Reply:
    """The honest envelope body, answered in a wrong way."""
    kind = [("Content-Type", "text/xml; charset=utf-8")]
    ways = {
        "dtd": lambda: Reply(200, kind, _after_declaration(body, b"<!DOCTYPE x>")),
        "entity": lambda: Reply(200, kind, _after_declaration(body, DOCTYPE.encode())),
        "pi": lambda: Reply(200, kind, _after_declaration(body, b"<?php echo 1 ?>")),
        "truncated": lambda: Reply(200, kind, body, cut_at=len(body) // 2),
        "truncated-chunked": lambda: Reply(200, kind, body, chunked=True, cut_at=len(body) // 2),
        "reset": lambda: Reply(200, kind, body, reset_at=len(body) // 2),
        "dribble": lambda: Reply(200, kind, body, dribble=0.5),
        "hang": lambda: Reply(hang=True),
        "redirect": lambda: Reply(302, [("Location", "https://localhost:1/elsewhere")], b""),
        "fault": lambda: Reply(500, kind, b"<html>Server Error</html>"),
        "html": lambda: Reply(200, [("Content-Type", "text/html")], b"<html>Sign in</html>"),
        "unavailable": lambda: Reply(503, [], b"Service Unavailable"),
        "unknown-coding": lambda: Reply(200, [*kind, ("Content-Encoding", "br")], body),
        "false-gzip": lambda: Reply(200, [*kind, ("Content-Encoding", "gzip")], body),
        "gzip-bomb": lambda: Reply(200, [*kind, ("Content-Encoding", "gzip")],
                                   coding.gzip_bomb(1 << 30)),
        "xpress-bomb": lambda: Reply(200, [*kind, ("Content-Encoding", "xpress")],
                                     coding.xpress_bomb(1 << 30)),
        "bad-utf8": lambda: Reply(200, kind, _replaced(body, b"Response", b"Re\xffsponse")),
        "wrong-operation": lambda: Reply(200, kind, body.replace(b"Response", b"Resp0nse")),
        "absolute-url": lambda: Reply(200, kind, _replaced(
            body, b"<ServiceUrl>", b"<ServiceUrl>https://evil.example.test/")),
    }
    return ways[mode]()


def _after_declaration(body: bytes, what: bytes) -> bytes:
    end = body.find(b"?>") + 2 if body.startswith(b"<?xml") else 0
    return body[:end] + what + body[end:]


def content_of(mode: str, file: catalogue.File) -> Reply:
    """A file, answered in a wrong way."""
    kind = [("Content-Type", "application/octet-stream")]

    def flipped():
        for number, piece in enumerate(file.pieces()):
            yield bytes([piece[0] ^ 1]) + piece[1:] if number == 0 else piece

    def flipped_last():
        yield from file.pieces(0, file.size - 1)
        yield bytes([file.read(file.size - 1)[0] ^ 1])

    def longer():
        yield from file.pieces()
        yield b"!"

    ways = {
        "flip": lambda: Reply(200, kind, flipped(), file.size),
        "flip-last": lambda: Reply(200, kind, flipped_last(), file.size),
        "short": lambda: Reply(200, kind, file.pieces(0, file.size - 1), file.size - 1),
        "long": lambda: Reply(200, kind, longer(), file.size + 1),
        "endless": lambda: Reply(200, kind, (bytes(1 << 16) for _ in range(1 << 12)), chunked=True),
        "truncated": lambda: Reply(200, kind, file.pieces(), file.size, cut_at=file.size // 2),
        "reset": lambda: Reply(200, kind, file.pieces(), file.size, reset_at=file.size // 2),
        "dribble": lambda: Reply(200, kind, file.pieces(), file.size, dribble=0.5),
        "hang": lambda: Reply(hang=True),
        "redirect": lambda: Reply(302, [("Location", "http://127.0.0.1:1/x.cab")], b""),
        "404": lambda: Reply(404, [], b"not here"),
        "503": lambda: Reply(503, [], b"later"),
        "html": lambda: Reply(200, [("Content-Type", "text/html")], b"<html>Sign in</html>"),
        "gzip": lambda: Reply(200, [*kind, ("Content-Encoding", "gzip")],
                              coding.encode("gzip", file.read())),
    }
    return ways[mode]()


def side_of(mode: str, good: Reply, file: catalogue.File) -> Reply:
    """The answer to a closed range, made wrong."""
    fields = dict(good.headers)
    if mode == "200":
        return Reply(200, [h for h in good.headers if h[0] != "Content-Range"], file.pieces(),
                     file.size)
    if mode == "length":
        fields["Content-Range"] = fields["Content-Range"].replace(str(file.size),
                                                                  str(file.size + 1))
    elif mode == "etag":
        fields["ETag"] = '"another"'
    elif mode == "date":
        fields["Last-Modified"] = "Wed, 02 Sep 2026 08:30:54 GMT"
    elif mode == "html":
        return Reply(200, [("Content-Type", "text/html")], b"<html>Sign in</html>")
    elif mode == "404":
        return Reply(404, [], b"")
    elif mode == "cut":
        return Reply(206, good.headers, good.body, good.length, cut_at=good.length // 2)
    else:
        raise ValueError(mode)
    return Reply(206, list(fields.items()), good.body, good.length)


def decoded_blob(name: str, text: str) -> str:
    """The document inside a blob element's text (already unescaped)."""
    if name == "XmlUpdateBlob":
        return text
    return cabinet.read(base64.b64decode(text)).decode("utf-16-le")


__all__ = ["Hostile", "blob", "content_of", "decoded_blob", "digest_list", "escape", "reply_of",
           "side_of"]
