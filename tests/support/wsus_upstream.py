#!/usr/bin/env python3
"""A stand-in upstream WSUS: server-sync, DssAuth, reporting, client services and content.

As a library: Upstream(Catalogue(), cert, key) serves until close(); `hostile` makes it lie,
`tls` and `plain` (httpd.Server) hold the log of what came. As a command it serves until it is
told to stop.
"""
import argparse
import hashlib
import json
import re
import signal
import ssl
import threading
import time
import uuid
from pathlib import Path
from xml.sax.saxutils import escape

import catalogue as cat
import coding
import hostile as lies
import soap
from httpd import Reply, Request, Server, server_context
from upstream_clients import ClientServices

BATCH = 100
REPLY_LIMIT = 2_000_000
EXPIRES = "2036-01-01T00:00:00Z"
ANCHOR = re.compile(r"\d+,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")


class Upstream(ClientServices):
    """port 0 takes any free pair (N - 1 plain, N TLS); without cert there is no TLS port."""

    def __init__(self, catalogue: cat.Catalogue, cert: str = "", key: str = "", *,
                 mode: str = "identity", port: int = 0, context: ssl.SSLContext | None = None,
                 host: str = "localhost") -> None:
        self.catalogue = catalogue
        self.mode = mode  # identity | chunked | gzip | xpress | gzip-chunked
        self.host = host
        self.hostile = lies.Hostile()
        self.mu_host = "download.example.test"  # where GetUpdateData says that files are
        self.counter = 57
        self.deployments: bytes | Reply | None = None  # what is said instead of the one there is
        self.cookies: set[str] = set()
        self.reports: list[bytes] = []
        self.coded: dict[str, int] = {}
        self._lock = threading.Lock()
        if context is None and cert:
            context = server_context(cert, key)
        self.plain, self.tls = self._listen(port, context)

    def _listen(self, port: int, context: ssl.SSLContext | None) -> tuple[Server, Server | None]:
        if context is None:
            return Server(self.handle, None, port), None
        for _ in range(50):
            tls = Server(self.handle, context, port)
            try:
                return Server(self.handle, None, tls.port - 1), tls
            except OSError:
                tls.close()
                if port:
                    raise
        raise OSError("no free pair of ports")

    @property
    def url(self) -> str:
        server, scheme = (self.tls, "https") if self.tls else (self.plain, "http")
        return f"{scheme}://{self.host}:{server.port}"

    @property
    def servers(self) -> list[Server]:
        return [s for s in (self.tls, self.plain) if s is not None]

    def requests(self) -> list[Request]:
        return [r for s in self.servers for r in s.requests()]

    def content_requests(self) -> list[Request]:
        return [r for r in self.requests() if r.target.lower().startswith("/content/")]

    def content_bytes(self) -> int:
        """Bytes of bodies sent so far, over all connections."""
        return sum(c.sent_bytes for s in self.servers for c in s.connections)

    def app_bytes(self) -> int:
        return sum(s.app_bytes() for s in self.servers)

    def close(self) -> None:
        for server in self.servers:
            server.close()

    def __enter__(self) -> "Upstream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- requests ---------------------------------------------------------------------

    def handle(self, request: Request) -> Reply:
        if request.method in ("GET", "HEAD"):
            return self._content(request)
        if request.method != "POST":
            return Reply(405)
        if self.tls is not None and not request.tls:
            return Reply(403, [], b"SSL is required")
        return self._soap(request)

    def _soap(self, request: Request) -> Reply:
        service = next((p for p in soap.NAMESPACES if p.lower() == request.target.lower()), None)
        if service is None:
            return Reply(404)
        name = request.header("SOAPAction").strip('"').rpartition("/")[2]
        actor = f"{self.url}{service}"
        method = soap.action(service, name)
        try:
            element = soap.body_of(request.body)
            if soap.local(element) != name or request.header("SOAPAction") != f'"{method}"':
                raise soap.Fault(500, "InvalidParameters", "SOAPAction")
            body, status = self._operation(service, name)(element), 200
        except soap.Fault as fault:
            body, status = soap.fault(fault.code, fault.message, method, actor), fault.status
        except ValueError as broken:
            body, status = soap.fault("InvalidParameters", str(broken), method, actor), 500
        if self.hostile.hold is not None:
            self.hostile.hold.wait(60)
        if mode := self.hostile.replies.get(name):
            return lies.reply_of(mode, body)
        if isinstance(body, Reply):
            return body
        return self._coded(request, status, body)

    def _coded(self, request: Request, status: int, body: bytes) -> Reply:
        headers = [("Cache-Control", "private, max-age=0"), ("Content-Type", soap.CONTENT_TYPE)]
        wanted, _, chunked = self.mode.partition("-")
        accepted = [c.strip() for c in request.header("Accept-Encoding").split(",")]
        if wanted in ("gzip", "xpress") and wanted in accepted:
            body = coding.encode(wanted, body)
            headers.append(("Content-Encoding", wanted))
            with self._lock:
                self.coded[wanted] = self.coded.get(wanted, 0) + 1
        return Reply(status, headers, body, chunked="chunked" in (wanted, chunked))

    def _operation(self, service: str, name: str):
        tables = {soap.SERVER_SYNC: self._SERVER_SYNC, soap.DSS_AUTH: self._DSS_AUTH,
                  soap.REPORTING: self._REPORTING, soap.CLIENT: self.CLIENT,
                  soap.SIMPLE_AUTH: self.SIMPLE_AUTH}
        method = tables[service].get(name)
        if method is None:
            raise soap.Fault(500, "InvalidParameters", name)
        return getattr(self, method)

    _SERVER_SYNC = {
        "GetAuthConfig": "_auth_config", "GetCookie": "_cookie", "GetConfigData": "_config_data",
        "GetRevisionIdList": "_revision_list", "GetUpdateData": "_update_data",
        "GetUpdateDecryptionData": "_decryption_data", "GetDeployments": "_deployments",
        "DownloadFiles": "_download_files"}
    _DSS_AUTH = {"GetAuthorizationCookie": "_authorization"}
    _REPORTING = {
        "GetRollupConfiguration": "_rollup_configuration",
        "RollupDownstreamServers": "_rollup_servers", "RollupComputers": "_rollup_computers",
        "GetOutOfSyncComputers": "_out_of_sync", "RollupComputerStatus": "_rollup_status",
        "ReportEventBatch": "_report"}

    # ---- cookies ------------------------------------------------------------------------

    def issue(self, what: str) -> str:
        with self._lock:
            number = len(self.cookies)
            cookie = cat.b64(hashlib.shake_256(f"{what}/{number}".encode()).digest(372))
            self.cookies.add(cookie)
        return cookie

    def check_cookie(self, element) -> None:
        if soap.text(element, "cookie", "EncryptedData") not in self.cookies:
            raise soap.Fault(500, "InvalidCookie", "")

    def _auth_config(self, _element) -> bytes:
        return soap.response("GetAuthConfig", soap.S, (
            "<LastChange>2026-01-02T03:04:05.067Z</LastChange><AuthInfo><AuthPlugInInfo>"
            "<PlugInID>DssTargeting</PlugInID><ServiceUrl>DssAuthWebService/DssAuthWebService.asmx"
            "</ServiceUrl><Parameter /></AuthPlugInInfo></AuthInfo>"))

    def _authorization(self, element) -> bytes:
        if not soap.text(element, "accountName"):
            raise soap.Fault(500, "InvalidParameters", "machineName")
        uuid.UUID(soap.text(element, "accountGuid"))
        return soap.response("GetAuthorizationCookie", soap.DSS,
                             "<PlugInId>DssTargeting</PlugInId>"
                             f"<CookieData>{self.issue('authorization')}</CookieData>")

    def _cookie(self, element) -> bytes:
        entries = soap.children(soap.child(element, "authCookies"), "AuthorizationCookie")
        if len(entries) != 1 or soap.text(entries[0], "CookieData") not in self.cookies:
            raise soap.Fault(500, "InvalidAuthorizationCookie", "authCookies")
        if not re.fullmatch(r"1\.\d+", soap.text(element, "protocolVersion")):
            raise soap.Fault(500, "IncompatibleProtocolVersion", "protocolVersion")
        return soap.response("GetCookie", soap.S, f"<Expiration>{EXPIRES}</Expiration>"
                             f"<EncryptedData>{self.issue('cookie')}</EncryptedData>")

    # ---- server sync ----------------------------------------------------------------------

    def anchor(self) -> str:
        return f"{self.counter},2026-01-02 03:04:10.120"

    def _config_data(self, element) -> bytes:
        self.check_cookie(element)
        languages = "".join(
            f"<ServerSyncLanguageData><LanguageID>{i}</LanguageID><ShortLanguage>{s}"
            f"</ShortLanguage><LongLanguage>{name}</LongLanguage><Enabled>true</Enabled>"
            "</ServerSyncLanguageData>"
            for i, s, name in ((1033, "en", "English"), (1041, "ja", "Japanese")))
        return soap.response("GetConfigData", soap.S, (
            "<CatalogOnlySync>false</CatalogOnlySync><LazySync>true</LazySync>"
            "<ServerHostsPsfFiles>false</ServerHostsPsfFiles>"
            "<MaxNumberOfComputerIdsInRequest>0</MaxNumberOfComputerIdsInRequest>"
            "<MaxNumberOfDriverSetsPerRequest>0</MaxNumberOfDriverSetsPerRequest>"
            "<MaxNumberOfPnpHardwareIdsInRequest>0</MaxNumberOfPnpHardwareIdsInRequest>"
            f"<MaxNumberOfUpdatesPerRequest>{BATCH}</MaxNumberOfUpdatesPerRequest>"
            f"<NewConfigAnchor>{self.anchor()}</NewConfigAnchor>"
            "<ProtocolVersion>1.20</ProtocolVersion>"
            f"<LanguageUpdateList>{languages}</LanguageUpdateList>"
            "<MaxUpdatesPerRequestInGetUpdateDecryptionData>100"
            "</MaxUpdatesPerRequestInGetUpdateDecryptionData>"))

    def _revision_list(self, element) -> bytes:
        self.check_cookie(element)
        wanted = soap.child(element, "filter")
        config = soap.text(wanted, "GetConfig") == "true"
        anchor = soap.text(wanted, "Anchor")
        if anchor and not ANCHOR.fullmatch(anchor):
            raise soap.Fault(500, "InvalidParameters", "filter")
        kinds = ("category", "detectoid") if config else ("bundle", "leaf")
        found = [] if anchor == self.anchor() else self.catalogue.of_kind(*kinds)
        identities = "".join(
            f"<UpdateIdentity><UpdateID>{r.update_id}</UpdateID><RevisionNumber>{r.number}"
            "</RevisionNumber></UpdateIdentity>" for r in found)
        return soap.response("GetRevisionIdList", soap.S, (
            f"<Anchor>{self.anchor()}</Anchor><NewRevisions>{identities}</NewRevisions>"))

    def _asked(self, element) -> list[cat.Revision]:
        asked = soap.children(soap.child(element, "updateIds"), "UpdateIdentity")
        if not 1 <= len(asked) <= BATCH:
            raise soap.Fault(500, "InvalidParameters", "updateIds")
        keys = [(soap.text(e, "UpdateID").lower(), int(soap.text(e, "RevisionNumber")))
                for e in asked]
        if any(k not in self.catalogue.by_key for k in keys):
            raise soap.Fault(500, "InternalServerError", "")
        return [self.catalogue.by_key[k] for k in keys]

    def _update(self, revision: cat.Revision) -> str:
        lie = self.hostile
        source = revision
        if lie.swap and revision.update_id in lie.swap:
            other = next(i for i in lie.swap if i != revision.update_id)
            source = next(r for r in self.catalogue.revisions if r.update_id == other)
        name, blob = lies.blob(source, lie.documents.get(revision.update_id, ""))
        digests = lies.digest_list(source, lie.digests.get(revision.update_id, ""))
        listed = "".join(f"<base64Binary>{cat.b64(d)}</base64Binary>" for d in digests)
        listed = f"<FileDigestList>{listed}</FileDigestList>" if digests else ""
        blob = f"<{name}>{blob}</{name}>"
        parts = blob + listed if name == "XmlUpdateBlob" else listed + blob
        return (f"<ServerSyncUpdateData><Id><UpdateID>{revision.update_id}</UpdateID>"
                f"<RevisionNumber>{revision.number}</RevisionNumber></Id>{parts}"
                "</ServerSyncUpdateData>")

    def _update_data(self, element) -> bytes:
        self.check_cookie(element)
        asked = self._asked(element)
        if self.hostile.extra is not None:
            asked.append(self.hostile.extra)
        updates, urls, size = [], {}, 0
        for revision in asked:
            text = self._update(revision)
            if updates and size + len(text) > REPLY_LIMIT:
                break
            size += len(text)
            updates.append(text)
            urls.update({f.claim_sha1: f for f in revision.files})
        time.sleep(self.hostile.pace)
        listed = "".join(
            f"<ServerSyncUrlData><FileDigest>{cat.b64(digest)}</FileDigest>"
            f"<MUUrl>{escape(self._mu_url(file))}</MUUrl><UssUrl /></ServerSyncUrlData>"
            for digest, file in urls.items())
        return soap.response("GetUpdateData", soap.S, (
            f"<updates>{''.join(updates)}</updates>"
            + (f"<fileUrls>{listed}</fileUrls>" if listed else "<fileUrls />")))

    def _mu_url(self, file: cat.File) -> str:
        return re.sub("//[^/]+", f"//{self.mu_host}", file.mu_url, count=1)

    def _decryption_data(self, element) -> bytes:
        self.check_cookie(element)
        self._asked(element)
        return soap.response("GetUpdateDecryptionData", soap.S, "<UpdateFileDecryptionData />")

    def _deployments(self, element) -> bytes | Reply:
        self.check_cookie(element)
        if not soap.text(element, "syncAnchor"):
            raise soap.Fault(500, "InvalidParameters", "syncAnchor")
        if self.deployments is not None:
            return self.deployments
        bundle = self.catalogue.of_kind("bundle")[0]
        group = "a0a08746-4dbe-4a37-9adf-9e7652c0b421"
        return soap.response("GetDeployments", soap.S, (
            f"<Anchor>{self.anchor()}</Anchor><Groups><ServerSyncTargetGroup><TargetGroupID>{group}"
            "</TargetGroupID><ParentGroupId>00000000-0000-0000-0000-000000000000</ParentGroupId>"
            "<Name>All Computers</Name><IsBuiltin>true</IsBuiltin></ServerSyncTargetGroup></Groups>"
            f"<Deployments><ServerSyncDeployment><UpdateId>{bundle.update_id}</UpdateId>"
            f"<RevisionNumber>{bundle.number}</RevisionNumber><Action>0</Action>"
            "<AdminName>CONTOSO\\admin</AdminName><Deadline>9999-12-31T23:59:59.9999999</Deadline>"
            "<IsAssigned>true</IsAssigned><GoLiveTime>2026-01-02T00:00:00</GoLiveTime>"
            f"<DeploymentGuid>{self.catalogue.guid('deployment')}</DeploymentGuid>"
            f"<TargetGroupId>{group}</TargetGroupId><DownloadPriority>1</DownloadPriority>"
            "</ServerSyncDeployment></Deployments><DeadDeployments /><HiddenUpdates />"
            "<AcceptedEulas />"))

    def _download_files(self, element) -> bytes:
        self.check_cookie(element)
        asked = [e.text or "" for e in soap.children(soap.child(element, "fileDigestList"),
                                                     "base64Binary")]
        if len(asked) > 100:
            raise soap.Fault(500, "InvalidParameters", "fileDigestList")
        known = {cat.b64(d) for d in self.catalogue.by_digest}
        if missing := [d for d in asked if d not in known]:
            raise soap.Fault(500, "FileDigestsMissing", "|".join(missing))
        return soap.response("DownloadFiles", soap.S, None)

    # ---- reporting ------------------------------------------------------------------------

    def _rollup_configuration(self, _element) -> bytes:
        return soap.response("GetRollupConfiguration", soap.S, (
            "<DoDetailedRollup>true</DoDetailedRollup>"
            f"<RollupResetGuid>{self.catalogue.guid('reset')}</RollupResetGuid>"
            f"<ServerId>{self.catalogue.guid('server')}</ServerId>"
            "<RollupDownstreamServersMaxBatchSize>5000</RollupDownstreamServersMaxBatchSize>"
            "<RollupComputersMaxBatchSize>1500</RollupComputersMaxBatchSize>"
            "<GetOutOfSyncComputersMaxBatchSize>20000</GetOutOfSyncComputersMaxBatchSize>"
            "<RollupComputerStatusMaxBatchSize>500</RollupComputerStatusMaxBatchSize>"))

    def _rollup_servers(self, _element) -> bytes:
        return soap.response("RollupDownstreamServers", soap.S, None)

    def _rollup_computers(self, _element) -> bytes:
        return soap.response("RollupComputers", soap.S, "")

    def _out_of_sync(self, _element) -> bytes:
        return soap.response("GetOutOfSyncComputers", soap.S, "")

    def _rollup_status(self, _element) -> bytes:
        return soap.response("RollupComputerStatus", soap.S, "true")

    # ---- content ----------------------------------------------------------------------------

    def _content(self, request: Request) -> Reply:
        match = re.fullmatch(r"/Content/([0-9A-F]{2})/([0-9A-F]{40})\.(\w{1,8})", request.target,
                             re.IGNORECASE)
        file = match and self.catalogue.by_digest.get(bytes.fromhex(match[2]))
        if not match or not file or match[1].upper() != match[2][-2:].upper():
            return Reply(404, [], b"")
        wrong = self.hostile.content
        if mode := wrong.get(match[2].upper(), wrong.get("*", "")):
            return lies.content_of(mode, file)
        return self._file(request, file)

    def _file(self, request: Request, file: cat.File) -> Reply:
        headers = [("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"),
                   ("Last-Modified", "Wed, 02 Sep 2026 08:30:53 GMT"),
                   ("ETag", f'"{file.sha1.hex()[:12]}:0{self.hostile.changed}"')]
        cut = self.hostile.cuts.pop(0) if self.hostile.cuts else None
        ranged = re.fullmatch(r"bytes=(\d+)-(\d*)", request.header("Range"))
        if not ranged or self.hostile.ignore_ranges:
            return Reply(200, headers, self._paced(file, 0, file.size), file.size, cut_at=cut)
        first = int(ranged[1])
        end = min(int(ranged[2]) + 1, file.size) if ranged[2] else file.size
        if first >= file.size or first >= end:
            return Reply(416, [("Content-Range", f"bytes */{file.size}")], b"")
        headers.append(("Content-Range", f"bytes {first}-{end - 1}/{file.size}"))
        good = Reply(206, headers, self._paced(file, first, end, bool(ranged[2])), end - first,
                     cut_at=cut)
        if ranged[2] and self.hostile.sides:
            return lies.side_of(self.hostile.sides, good, file)
        return good

    def _paced(self, file: cat.File, first: int, end: int, is_closed: bool = False):
        lie = self.hostile
        for piece in file.pieces(first, end):
            time.sleep(lie.pace)
            if is_closed and lie.stall_sides:
                lie.stall_sides.wait(60)
            stall = None if is_closed else lie.stall
            if stall and first <= stall[0] < first + len(piece):
                yield piece[:stall[0] - first]
                stall[1].wait(60)
                piece, first = piece[stall[0] - first:], stall[0]
            for flip in lie.flips:
                if first <= flip < first + len(piece):
                    at = flip - first
                    piece = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1:]
            first += len(piece)
            if first == file.size and lie.last_byte:
                yield piece[:-1]
                lie.last_byte.wait(60)
                piece = piece[-1:]
            yield piece


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--host", default="localhost", help="name in the URL that is printed")
    parser.add_argument("--port", type=int, default=0, help="TLS port N; content is on N - 1")
    parser.add_argument("--revisions", type=int, default=300)
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coding", default="identity",
                        choices=("identity", "chunked", "gzip", "xpress", "gzip-chunked"))
    parser.add_argument("--change", action="store_true",
                        help="serve one revision with another document than it had")
    parser.add_argument("--ready-file", help="written with the address once it listens")
    options = parser.parse_args()
    catalogue = cat.Catalogue(options.seed, options.revisions, options.files)
    upstream = Upstream(catalogue, options.cert or "", options.key or "", mode=options.coding,
                        port=options.port, host=options.host)
    if options.change:
        upstream.hostile.documents[catalogue.of_kind("bundle")[0].update_id] = "change"
    facts = {"url": upstream.url, "content_port": upstream.plain.port,
             "revisions": len(catalogue.revisions), "files": len(catalogue.by_digest)}
    if options.ready_file:
        unfinished = Path(options.ready_file + ".new")
        unfinished.write_text(json.dumps(facts) + "\n")
        unfinished.rename(options.ready_file)
    print(json.dumps(facts), flush=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    upstream.close()


if __name__ == "__main__":
    main()
