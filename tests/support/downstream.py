#!/usr/bin/env python3
"""A stand-in downstream WSUS: the whole run of [MS-WSUSSS] 3.2.4 against an upstream or a gate.

It believes nothing: documents are decoded and parsed, their digests kept, and every file that is
downloaded is checked against size, SHA-1 and SHA-256 of the metadata.
"""
import argparse
import base64
import hashlib
import json
import random
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import cabinet
import soap
from wire import Wire, content_url

UPD = "{http://schemas.microsoft.com/msus/2002/12/Update}"
RANGE = 1 << 20
DUMMY = "<cookie><Expiration>9999-12-31T23:59:59.9999999</Expiration><EncryptedData /></cookie>"
AGENT = "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)"

Key = tuple[str, int]


class Mismatch(Exception):
    """Content that is not what metadata says, or an answer that is not content."""


@dataclass
class Claim:
    """A file as metadata names it."""

    name: str
    size: int
    sha1: bytes
    sha256: bytes

    @property
    def path(self) -> str:
        digest = self.sha1.hex().upper()
        return f"/Content/{digest[-2:]}/{digest}.{self.name.rpartition('.')[2]}"


@dataclass
class Synced:
    """What a run brought."""

    documents: dict[Key, str] = field(default_factory=dict)
    claims: dict[bytes, Claim] = field(default_factory=dict)
    plain: int = 0          # blobs that came as text
    compressed: int = 0     # blobs that came as cabinets
    codings: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    anchors: dict[bool, str] = field(default_factory=dict)
    withheld: list[Key] = field(default_factory=list)  # listed and never delivered


def identities(keys: Iterable[Key]) -> str:
    return "".join(f"<UpdateIdentity><UpdateID>{i}</UpdateID><RevisionNumber>{n}</RevisionNumber>"
                   "</UpdateIdentity>" for i, n in keys)


def claims_of(document: str) -> list[Claim]:
    root = ET.fromstring(document)
    found = []
    for element in [*root.iter(f"{UPD}File"), *root.iter(f"{UPD}EulaFile")]:
        sha256 = next((d.text or "" for d in element.iter(f"{UPD}AdditionalDigest")
                       if d.get("Algorithm") == "SHA256"), "")
        found.append(Claim(element.get("FileName", ""), int(element.get("Size", "-1")),
                           base64.b64decode(element.get("Digest", "")),
                           base64.b64decode(sha256)))
    return found


class Downstream:
    """accept is the Accept-Encoding of SOAP calls; content a base URL or "" for port N - 1."""

    def __init__(self, url: str, ca: str = "", *, accept: str = "xpress", content: str = "",
                 pair: tuple[str, str] | None = None, timeout: float = 60.0) -> None:
        self.url, self.ca, self.pair, self.timeout = url, ca, pair, timeout
        self.accept = accept
        self.content = content or content_url(url)
        self.wire = Wire(url, ca, pair, timeout, AGENT)
        self.cookie = ""
        self.synced = Synced()

    def close(self) -> None:
        self.wire.close()

    def __enter__(self) -> "Downstream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- metadata ---------------------------------------------------------------------

    def call(self, operation: str, members: str, path: str = soap.SERVER_SYNC) -> ET.Element:
        envelope = soap.request(operation, soap.NAMESPACES[path], members)
        self.synced.calls += 1
        element = self.wire.call(path, operation, envelope, self.accept)
        return element

    def authorize(self) -> None:
        config = self.call("GetAuthConfig", "")
        entry = soap.child(config, "GetAuthConfigResult", "AuthInfo", "AuthPlugInInfo")
        service = soap.text(entry, "ServiceUrl").lstrip("/")
        if soap.text(entry, "PlugInID") != "DssTargeting" or f"/{service}" != soap.DSS_AUTH:
            raise ValueError(f"unexpected plug-in or ServiceUrl {service!r}")
        given = soap.child(self.call(
            "GetAuthorizationCookie",
            "<accountName>dss1.branch.example</accountName>"
            "<accountGuid>3d4c1b2a-0000-4000-8000-0123456789ab</accountGuid><programKeys />",
            soap.DSS_AUTH), "GetAuthorizationCookieResult")
        cookie = soap.child(self.call(
            "GetCookie", "<authCookies><AuthorizationCookie><PlugInId>DssTargeting</PlugInId>"
            f"<CookieData>{soap.text(given, 'CookieData')}</CookieData></AuthorizationCookie>"
            "</authCookies><protocolVersion>1.20</protocolVersion>"), "GetCookieResult")
        self.cookie = (f"<cookie><Expiration>{soap.text(cookie, 'Expiration')}</Expiration>"
                       f"<EncryptedData>{soap.text(cookie, 'EncryptedData')}</EncryptedData>"
                       "</cookie>")

    def config(self) -> ET.Element:
        return soap.child(self.call("GetConfigData", self.cookie), "GetConfigDataResult")

    def revision_ids(self, config: bool, anchor: str = "") -> list[Key]:
        members = (f"<Anchor>{anchor}</Anchor>" if anchor else "") + \
            f"<GetConfig>{str(config).lower()}</GetConfig>" \
            "<Get63LanguageOnly>false</Get63LanguageOnly>"
        result = soap.child(self.call("GetRevisionIdList",
                                      f"{self.cookie}<filter>{members}</filter>"),
                            "GetRevisionIdListResult")
        self.synced.anchors[config] = soap.text(result, "Anchor")
        return [(soap.text(e, "UpdateID"), int(soap.text(e, "RevisionNumber")))
                for e in soap.children(soap.child(result, "NewRevisions"), "UpdateIdentity")]

    def update_data(self, keys: Sequence[Key]) -> list[Key]:
        """One GetUpdateData call; returns the pairs that came."""
        result = soap.child(self.call(
            "GetUpdateData", f"{self.cookie}<updateIds>{identities(keys)}</updateIds>"),
            "GetUpdateDataResult")
        came = []
        for update in soap.children(soap.child(result, "updates"), "ServerSyncUpdateData"):
            came.append(self._keep(update, keys))
        return came

    def _keep(self, update: ET.Element, asked: Sequence[Key]) -> Key:
        key = (soap.text(update, "Id", "UpdateID"), int(soap.text(update, "Id", "RevisionNumber")))
        if key not in asked:
            raise Mismatch(f"{key} was not asked for")
        if packed := soap.text(update, "XmlUpdateBlobCompressed"):
            document = cabinet.read(base64.b64decode(packed)).decode("utf-16-le")
            self.synced.compressed += 1
        else:
            document = soap.text(update, "XmlUpdateBlob")
            self.synced.plain += 1
        inner = ET.fromstring(document).find(f"{UPD}UpdateIdentity")
        if (inner.get("UpdateID"), int(inner.get("RevisionNumber"))) != key:
            raise Mismatch(f"the document of {key} names another revision")
        claims = claims_of(document)
        listed = {base64.b64decode(e.text or "") for e in
                  soap.children(soap.child(update, "FileDigestList"), "base64Binary")}
        if listed != {c.sha1 for c in claims}:
            raise Mismatch(f"FileDigestList of {key} is not what the document says")
        self.synced.documents[key] = document
        self.synced.claims.update({c.sha1: c for c in claims})
        return key

    def fetch(self, keys: Sequence[Key], batch: int = 100, partial: bool = False) -> list[Key]:
        """All of keys, in batches; what a reply left out is asked for again. A reply without
        any update is an error, unless partial: then what does not come is the result."""
        missing, withheld = list(dict.fromkeys(keys)), []
        while missing:
            came = set(self.update_data(missing[:batch]))
            if not came and not partial:
                raise Mismatch("a reply of GetUpdateData without any update")
            if not came:
                withheld += missing[:batch]
                del missing[:batch]
            missing = [k for k in missing if k not in came]
        return withheld

    def sync(self, replica: bool = False, partial: bool = False) -> Synced:
        self.authorize()
        self.config()
        for config in (True, False):
            self.synced.withheld += self.fetch(self.revision_ids(config), partial=partial)
        if secured := [k for k, d in self.synced.documents.items() if "FileDecryption<" in d]:
            self.call("GetUpdateDecryptionData",
                      f"{self.cookie}<updateIds>{identities(secured)}</updateIds>")
        if replica:
            self.call("GetDeployments", f"{self.cookie}<syncAnchor>{self.synced.anchors[False]}"
                      "</syncAnchor>")
        return self.synced

    def rollup(self) -> None:
        """The reporting calls that follow a run."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        config = self.call("GetRollupConfiguration", DUMMY, soap.REPORTING)
        server = soap.text(config, "GetRollupConfigurationResult", "ServerId")
        clock = f"{DUMMY}<clientTime>{now}</clientTime>"
        self.call("RollupDownstreamServers", f"{clock}<downstreamServers />", soap.REPORTING)
        self.call("RollupComputers", f"{clock}<computers />", soap.REPORTING)
        parent = f"<parentServerId>{server}</parentServerId>"
        self.call("GetOutOfSyncComputers", f"{DUMMY}{parent}<lastRollupNumbers />", soap.REPORTING)
        self.call("RollupComputerStatus", f"{clock}{parent}<computers />", soap.REPORTING)

    def download_files(self, digests: Sequence[bytes]) -> None:
        listed = "".join(f"<base64Binary>{base64.b64encode(d).decode()}</base64Binary>"
                         for d in digests)
        self.call("DownloadFiles", f"{self.cookie}<fileDigestList>{listed}</fileDigestList>")

    # ---- content ------------------------------------------------------------------------

    def content_wire(self) -> Wire:
        return Wire(self.content, self.ca, self.pair, self.timeout, "Microsoft BITS/7.8")

    def download(self, claim: Claim, wire: Wire | None = None) -> bytes:
        """HEAD and one GET, as BITS does; the checked bytes."""
        own = wire or self.content_wire()
        try:
            head = own.ask("HEAD", claim.path)
            if head.status != 200 or int(head.headers.get("content-length", -1)) != claim.size:
                raise Mismatch(f"HEAD {claim.path}: {head.status} {head.headers}")
            answer = own.ask("GET", claim.path)
            if answer.status != 200:
                raise Mismatch(f"GET {claim.path}: {answer.status} {answer.body[:300]!r}")
            return check(claim, answer.body)
        finally:
            if wire is None:
                own.close()

    def download_ranges(self, claim: Claim, connections: int = 7, seed: int = 0) -> bytes:
        """Shuffled closed ranges of one MiB over several connections, as Delivery Optimization
        asks for them."""
        starts = list(range(0, claim.size, RANGE))
        random.Random(seed).shuffle(starts)
        out = bytearray(claim.size)
        tags: set[str] = set()

        def work(mine: list[int]) -> None:
            with self.content_wire() as wire:
                for first in mine:
                    last = min(first + RANGE, claim.size) - 1
                    data, tag = get_range(wire, claim, first, last)
                    out[first:last + 1] = data
                    tags.add(tag)

        with ThreadPoolExecutor(connections) as pool:
            for done in [pool.submit(work, starts[i::connections]) for i in range(connections)]:
                done.result()
        if len(tags) > 1:
            raise Mismatch(f"{claim.path}: the ETag changed between ranges: {tags}")
        return check(claim, bytes(out))


def get_range(wire: Wire, claim: Claim, first: int, last: int) -> tuple[bytes, str]:
    answer = wire.ask("GET", claim.path, {"Accept": "*/*", "Range": f"bytes={first}-{last}",
                                          "Content-Length": "0"})
    if answer.status != 206:
        raise Mismatch(f"{claim.path} {first}-{last}: {answer.status} {answer.body[:300]!r}")
    if answer.headers.get("content-range") != f"bytes {first}-{last}/{claim.size}":
        raise Mismatch(f"{claim.path}: Content-Range {answer.headers.get('content-range')!r}")
    if len(answer.body) != last - first + 1:
        raise Mismatch(f"{claim.path}: {len(answer.body)} bytes for {first}-{last}")
    return answer.body, answer.headers.get("etag", "")


def check(claim: Claim, data: bytes) -> bytes:
    if len(data) != claim.size:
        raise Mismatch(f"{claim.path}: {len(data)} bytes instead of {claim.size}")
    if hashlib.sha1(data).digest() != claim.sha1:
        raise Mismatch(f"{claim.path}: SHA-1")
    if claim.sha256 and hashlib.sha256(data).digest() != claim.sha256:
        raise Mismatch(f"{claim.path}: SHA-256")
    return data


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="https://host:port of the server above")
    parser.add_argument("--ca", required=True, help="the only trusted CA")
    parser.add_argument("--accept", default="xpress", help="Accept-Encoding of SOAP calls")
    parser.add_argument("--content", choices=("http", "https", "none"), default="http",
                        help="http: port N - 1, as a real downstream does; https: port N")
    parser.add_argument("--ranges", choices=("whole", "shuffled"), default="whole")
    parser.add_argument("--replica", action="store_true")
    options = parser.parse_args()
    started = time.monotonic()
    content = options.url if options.content == "https" else ""
    with Downstream(options.url, options.ca, accept=options.accept, content=content) as server:
        try:
            synced = server.sync(options.replica)
            server.rollup()
            size = 0
            for claim in synced.claims.values() if options.content != "none" else ():
                load = server.download if options.ranges == "whole" else server.download_ranges
                size += len(load(claim))
        except soap.Fault as fault:
            print(json.dumps({"refused": fault.code, "status": fault.status,
                              "message": fault.message}))
            return 1
        except (Mismatch, OSError, ValueError) as broken:
            print(json.dumps({"failed": f"{type(broken).__name__}: {broken}"}))
            return 2
    print(json.dumps({"revisions": len(synced.documents), "files": len(synced.claims),
                      "content_bytes": size, "calls": synced.calls,
                      "blobs_plain": synced.plain, "blobs_compressed": synced.compressed,
                      "seconds": round(time.monotonic() - started, 2)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
