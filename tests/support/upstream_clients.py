"""The services a Windows Update client asks, for the stand-in upstream ([MS-WUSP])."""
import base64
from xml.sax.saxutils import escape

import soap

PAGE = 30
EXPIRES = "2036-01-01T00:00:00Z"


class ClientServices:
    """Mixed into Upstream, which has the catalogue, the cookies and the ports."""

    CLIENT = {"GetConfig": "_client_config", "GetCookie": "_client_cookie",
              "RegisterComputer": "_register", "SyncUpdates": "_sync_updates",
              "GetExtendedUpdateInfo": "_extended_info",
              "GetExtendedUpdateInfo2": "_extended_info2", "GetFileLocations": "_file_locations",
              "RefreshCache": "_refresh_cache", "StartCategoryScan": "_category_scan"}
    SIMPLE_AUTH = {"GetAuthorizationCookie": "_client_authorization"}

    def _client_config(self, _element) -> bytes:
        properties = "".join(
            f"<ConfigurationProperty><Name>{n}</Name><Value>{v}</Value></ConfigurationProperty>"
            for n, v in (("MaxExtendedUpdatesPerRequest", 50), ("ProtocolVersion", "3.2"),
                         ("IsInventoryRequired", 0), ("ClientReportingLevel", 2)))
        return soap.client_response("GetConfig", (
            "<LastChange>2026-01-02T03:04:05.59Z</LastChange><IsRegistrationRequired>true"
            "</IsRegistrationRequired><AuthInfo><AuthPlugInInfo><PlugInID>SimpleTargeting"
            "</PlugInID><ServiceUrl>SimpleAuthWebService/SimpleAuth.asmx</ServiceUrl><Parameter/>"
            f"</AuthPlugInInfo></AuthInfo><Properties>{properties}</Properties>"))

    def _client_authorization(self, element) -> bytes:
        if not soap.text(element, "dnsName"):
            raise soap.Fault(500, "InvalidParameters", "dnsName")
        return soap.response("GetAuthorizationCookie", soap.SIMPLE, (
            "<PlugInId>SimpleTargeting</PlugInId>"
            f"<CookieData>{self.issue('client authorization')}</CookieData>"))

    def _new_cookie(self, name: str = "") -> str:
        inner = (f"<Expiration>{EXPIRES}</Expiration>"
                 f"<EncryptedData>{self.issue('client')}</EncryptedData>")
        return f"<{name}>{inner}</{name}>" if name else inner

    def _client_cookie(self, element) -> bytes:
        entry = soap.child(element, "authCookies", "AuthorizationCookie")
        if soap.text(entry, "CookieData") not in self.cookies:
            raise soap.Fault(500, "InvalidAuthorizationCookie", "authCookies")
        return soap.client_response("GetCookie", self._new_cookie())

    def _register(self, element) -> bytes:
        self.check_cookie(element)
        return soap.client_response("RegisterComputer", None)

    def _category_scan(self, _element) -> bytes:
        return soap.client_response("StartCategoryScan", None)

    def _deployment(self, revision) -> str:
        kinds = {"bundle": "Install", "leaf": "Bundle"}
        return (f"<Deployment><ID>{revision.local_id + 50_000}</ID>"
                f"<Action>{kinds.get(revision.kind, 'Evaluate')}</Action><IsAssigned>true"
                "</IsAssigned><LastChangeTime>2026-01-02</LastChangeTime><AutoSelect>0</AutoSelect>"
                "<AutoDownload>0</AutoDownload><SupersedenceBehavior>0</SupersedenceBehavior>"
                "</Deployment>")

    def _sync_updates(self, element) -> bytes:
        self.check_cookie(element)
        parameters = soap.child(element, "parameters")
        cached = {int(e.text or 0) for name in ("InstalledNonLeafUpdateIDs", "OtherCachedUpdateIDs")
                  for e in soap.children(soap.child(parameters, name), "int")}
        fresh = [] if soap.text(parameters, "SkipSoftwareSync") == "true" else [
            r for r in self.catalogue.revisions if r.local_id not in cached][:PAGE]
        updates = "".join(
            f"<UpdateInfo><ID>{r.local_id}</ID>{self._deployment(r)}<IsLeaf>"
            f"{'true' if r.kind in ('leaf', 'bundle') else 'false'}</IsLeaf>"
            f"<Xml>{escape(r.core)}</Xml></UpdateInfo>" for r in fresh)
        return soap.client_response("SyncUpdates", (
            (f"<NewUpdates>{updates}</NewUpdates>" if fresh else "")
            + "<Truncated>false</Truncated>" + self._new_cookie("NewCookie")
            + "<DriverSyncNotNeeded>true</DriverSyncNotNeeded>"))

    def _location(self, file) -> str:
        from catalogue import b64
        return (f"<FileLocation><FileDigest>{b64(file.claim_sha1)}</FileDigest><Url>"
                f"http://{self.host}:{self.plain.port}{file.path}</Url></FileLocation>")

    def _extended_info(self, element) -> bytes:
        self.check_cookie(element)
        asked = {int(e.text or 0) for e in soap.children(soap.child(element, "revisionIDs"), "int")}
        if len(asked) > 50:
            raise soap.Fault(500, "InvalidParameters", "revisionIDs")
        return self._extended_of("GetExtendedUpdateInfo", [
            r for r in self.catalogue.revisions if r.local_id in asked])

    def _extended_info2(self, element) -> bytes:
        """The same, asked by identity."""
        self.check_cookie(element)
        asked = [(soap.text(e, "UpdateID").lower(), int(soap.text(e, "RevisionNumber")))
                 for e in soap.children(soap.child(element, "updateIDs"), "UpdateIdentity")]
        return self._extended_of("GetExtendedUpdateInfo2", [
            self.catalogue.by_key[key] for key in asked if key in self.catalogue.by_key])

    def _extended_of(self, operation: str, found: list) -> bytes:
        updates = "".join(
            f"<Update><ID>{r.local_id}</ID><Xml>{escape(fragment)}</Xml></Update>"
            for kind in ("extended", "localized") for r in found
            for fragment in [getattr(r, kind)])
        files = {f.claim_sha1: f for r in found for f in r.files}
        return soap.client_response(operation, (
            f"<Updates>{updates}</Updates><FileLocations>"
            + "".join(map(self._location, files.values())) + "</FileLocations>"))

    def _file_locations(self, element) -> bytes:
        self.check_cookie(element)
        digests = [base64.b64decode(e.text or "") for e in
                   soap.children(soap.child(element, "fileDigests"), "base64Binary")]
        found = [self.catalogue.by_digest[d] for d in digests if d in self.catalogue.by_digest]
        return soap.client_response("GetFileLocations", (
            "<FileLocations>" + "".join(map(self._location, found)) + "</FileLocations>"
            + self._new_cookie("NewCookie")))

    def _refresh_cache(self, element) -> bytes:
        self.check_cookie(element)
        results = ""
        for e in soap.children(soap.child(element, "globalIDs"), "UpdateIdentity"):
            key = soap.text(e, "UpdateID").lower(), int(soap.text(e, "RevisionNumber"))
            if revision := self.catalogue.by_key.get(key):
                results += (
                    f"<RefreshCacheResult><RevisionID>{revision.local_id}</RevisionID><GlobalID>"
                    f"<UpdateID>{key[0]}</UpdateID><RevisionNumber>{key[1]}</RevisionNumber>"
                    f"</GlobalID><IsLeaf>true</IsLeaf>{self._deployment(revision)}"
                    "</RefreshCacheResult>")
        return soap.client_response("RefreshCache", results)

    def _report(self, element) -> bytes:
        self.check_cookie(element)
        self.reports += [e for e in soap.children(soap.child(element, "eventBatch"),
                                                  "ReportingEvent")]
        return soap.response("ReportEventBatch", soap.S, "true")
