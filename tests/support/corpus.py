"""The recorded dialogues: found at $SALLYPORT_CORPUS or ../shared/corpus beside the source."""
import base64
import os
import unittest
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import soap
from pki import SOURCE


def directory() -> Path | None:
    named = os.environ.get("SALLYPORT_CORPUS")
    path = Path(named) if named else SOURCE.parent / "shared" / "corpus"
    return path if (path / "MANIFEST.tsv").is_file() else None


def need(folder: str) -> Path:
    """The folder, or a skip that anybody sees."""
    found = directory()
    if found is None or not (found / folder).is_dir():
        print(f"SKIPPED: no corpus of recorded dialogues ({folder}); set SALLYPORT_CORPUS")
        raise unittest.SkipTest("no corpus")
    return found / folder


@dataclass
class Recorded:
    """One exchange, byte for byte."""

    name: str
    method: str
    target: str
    request_headers: dict[str, str]  # lower-case names
    request: bytes
    status: int
    response_headers: dict[str, str]
    response: bytes

    @property
    def action(self) -> str:
        return self.request_headers.get("soapaction", "").strip('"')

    @property
    def operation(self) -> str:
        return self.action.rpartition("/")[2]

    @property
    def path(self) -> str:
        return next(p for p in soap.NAMESPACES if p.lower() == self.target.lower())


def _head(path: Path) -> tuple[str, dict[str, str]]:
    first, *lines = path.read_text("latin-1").strip().splitlines()
    pairs = (line.partition(":") for line in lines)
    return first, {k.strip().lower(): v.strip() for k, _, v in pairs}


def _read(folder: Path) -> Recorded | None:
    """None where the recording holds no bodies."""
    if not (folder / "request.body").is_file() or not (folder / "response.body").is_file():
        return None
    first, headers = _head(folder / "request.headers")
    status, reply_headers = _head(folder / "response.headers")
    method, target, _ = first.split(" ")
    return Recorded(folder.name, method, target, headers, (folder / "request.body").read_bytes(),
                    int(status.split(" ")[1]), reply_headers,
                    (folder / "response.body").read_bytes())


def dialogue(folder: str, prefix: str = "") -> list[Recorded]:
    found = (_read(f) for f in sorted(need(folder).glob(f"{prefix}*")) if f.is_dir())
    return [r for r in found if r is not None]


def expected_documents() -> dict[tuple[str, int], str]:
    """What an independent decoder made of the recorded blobs of C-wsusss."""
    out = {}
    for path in sorted(need("C-wsusss").glob("*.update.xml")):
        text = path.read_text("utf-8-sig")
        identity = next(e for e in ET.fromstring(text) if soap.local(e) == "UpdateIdentity")
        out[identity.get("UpdateID", ""), int(identity.get("RevisionNumber", "0"))] = text
    return out


def blobs(recorded: Recorded) -> list[tuple[tuple[str, int], str, bytes | str]]:
    """(pair, element name, content) of a recorded GetUpdateData reply."""
    updates = soap.child(soap.body_of(recorded.response), "GetUpdateDataResult", "updates")
    out = []
    for update in soap.children(updates, "ServerSyncUpdateData"):
        pair = soap.text(update, "Id", "UpdateID"), int(soap.text(update, "Id", "RevisionNumber"))
        if packed := soap.text(update, "XmlUpdateBlobCompressed"):
            out.append((pair, "XmlUpdateBlobCompressed", base64.b64decode(packed)))
        else:
            out.append((pair, "XmlUpdateBlob", soap.text(update, "XmlUpdateBlob")))
    return out
