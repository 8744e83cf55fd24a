#!/usr/bin/env python3
"""A stand-in Windows Update agent: registers, scans, downloads, reports ([MS-WUSP] 3.2)."""
import argparse
import base64
import json
import re
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import soap
from downstream import Claim, Mismatch, check, get_range
from wire import Wire, content_url

AGENT = "Windows-Update-Agent/1507.2601.30012.0 Client-Protocol/2.90"
DELIVERY = "Microsoft-Delivery-Optimization/10.1"
RANGE = 1 << 20


@dataclass
class Scanned:
    updates: dict[int, str] = field(default_factory=dict)     # id -> core fragment
    extended: dict[int, list[str]] = field(default_factory=dict)
    claims: dict[bytes, Claim] = field(default_factory=dict)
    urls: dict[bytes, str] = field(default_factory=dict)
    pages: int = 0


class Agent:
    def __init__(self, url: str, ca: str = "", content: str = "", accept: str = "xpress",
                 timeout: float = 60.0) -> None:
        self.wire = Wire(url, ca, None, timeout, AGENT)
        self.content = Wire(content or content_url(url), ca, None, timeout, DELIVERY)
        self.accept = accept
        self.cookie = ""
        self.calls = 0
        self.scanned = Scanned()

    def close(self) -> None:
        self.wire.close()
        self.content.close()

    def __enter__(self) -> "Agent":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, operation: str, members: str, path: str = soap.CLIENT) -> ET.Element:
        envelope = soap.client_request(operation, soap.NAMESPACES[path], members)
        self.calls += 1
        target = path.replace("Client.asmx", "client.asmx")  # as real agents spell it
        return self.wire.call(path, operation, envelope, self.accept, target)

    def register(self) -> None:
        config = soap.child(self.call("GetConfig", "<protocolVersion>2.90</protocolVersion>"),
                            "GetConfigResult")
        entry = soap.child(config, "AuthInfo", "AuthPlugInInfo")
        if "/" + soap.text(entry, "ServiceUrl").lstrip("/") != soap.SIMPLE_AUTH:
            raise ValueError(f"unexpected ServiceUrl {soap.text(entry, 'ServiceUrl')!r}")
        given = soap.child(self.call(
            "GetAuthorizationCookie",
            "<clientId>0f1e2d3c-0000-4000-8000-00000000000a</clientId><targetGroupName/>"
            "<dnsName>pc1.branch.example</dnsName>", soap.SIMPLE_AUTH),
            "GetAuthorizationCookieResult")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._take_cookie(soap.child(self.call(
            "GetCookie", "<authCookies><AuthorizationCookie><PlugInId>SimpleTargeting</PlugInId>"
            f"<CookieData>{soap.text(given, 'CookieData')}</CookieData></AuthorizationCookie>"
            f"</authCookies><oldCookie><Expiration>{now}</Expiration></oldCookie>"
            f"<lastChange>{soap.text(config, 'LastChange')}</lastChange><currentTime>{now}"
            "</currentTime><protocolVersion>2.90</protocolVersion>"), "GetCookieResult"))
        self.call("RegisterComputer", f"{self.cookie}<computerInfo>{COMPUTER}</computerInfo>")

    def _take_cookie(self, element: ET.Element | None) -> None:
        self.cookie = (f"<cookie><Expiration>{soap.text(element, 'Expiration')}</Expiration>"
                       f"<EncryptedData>{soap.text(element, 'EncryptedData')}</EncryptedData>"
                       "</cookie>")

    def _page(self, skip_software: bool) -> int:
        cached = "".join(f"<int>{i}</int>" for i in self.scanned.updates)
        result = soap.child(self.call("SyncUpdates", (
            f"{self.cookie}<parameters><ExpressQuery>false</ExpressQuery>"
            + (f"<OtherCachedUpdateIDs>{cached}</OtherCachedUpdateIDs>" if cached else "")
            + f"<SkipSoftwareSync>{str(skip_software).lower()}</SkipSoftwareSync>"
            "<NeedTwoGroupOutOfScopeUpdates>true</NeedTwoGroupOutOfScopeUpdates>"
            "<AlsoPerformRegularSync>false</AlsoPerformRegularSync><ComputerSpec/></parameters>")),
            "SyncUpdatesResult")
        self._take_cookie(soap.child(result, "NewCookie"))
        fresh = soap.children(soap.child(result, "NewUpdates"), "UpdateInfo")
        for update in fresh:
            self.scanned.updates[int(soap.text(update, "ID"))] = soap.text(update, "Xml")
        self.scanned.pages += 1
        return len(fresh)

    def scan(self) -> Scanned:
        self.register()
        while self._page(False):
            pass
        self._page(True)
        ids = list(self.scanned.updates)
        for start in range(0, len(ids), 50):
            self._extended(ids[start:start + 50])
        return self.scanned

    def _extended(self, ids: list[int]) -> None:
        listed = "".join(f"<int>{i}</int>" for i in ids)
        self._take_extended("GetExtendedUpdateInfo", f"<revisionIDs>{listed}</revisionIDs>")

    def extended2(self, keys: list[tuple[str, int]]) -> None:
        """The same by identity, GetExtendedUpdateInfo2."""
        listed = "".join(f"<UpdateIdentity><UpdateID>{i}</UpdateID><RevisionNumber>{n}"
                         "</RevisionNumber></UpdateIdentity>" for i, n in keys)
        self._take_extended("GetExtendedUpdateInfo2", f"<updateIDs>{listed}</updateIDs>")

    def _take_extended(self, operation: str, which: str) -> None:
        result = soap.child(self.call(operation, (
            f"{self.cookie}{which}<infoTypes>"
            "<XmlUpdateFragmentType>Extended</XmlUpdateFragmentType><XmlUpdateFragmentType>"
            "LocalizedProperties</XmlUpdateFragmentType></infoTypes><locales><string>en-US</string>"
            "<string>en</string></locales><deviceAttributes>App=WU_OS;OSArchitecture=AMD64"
            "</deviceAttributes>")), f"{operation}Result")
        for update in soap.children(soap.child(result, "Updates"), "Update"):
            fragment = soap.text(update, "Xml")
            self.scanned.extended.setdefault(int(soap.text(update, "ID")), []).append(fragment)
            self._claims(fragment)
        for place in soap.children(soap.child(result, "FileLocations"), "FileLocation"):
            digest = base64.b64decode(soap.text(place, "FileDigest"))
            self.scanned.urls[digest] = soap.text(place, "Url")

    def _claims(self, fragment: str) -> None:
        for file in re.findall(r"<File .*?</File>", fragment, re.DOTALL):
            element = ET.fromstring(file)
            claim = Claim(element.get("FileName", ""), int(element.get("Size", "-1")),
                          base64.b64decode(element.get("Digest", "")),
                          base64.b64decode(element.findtext("AdditionalDigest", "")))
            self.scanned.claims[claim.sha1] = claim

    def file_locations(self, digests: list[bytes]) -> dict[bytes, str]:
        listed = "".join(f"<base64Binary>{base64.b64encode(d).decode()}</base64Binary>"
                         for d in digests)
        result = soap.child(self.call("GetFileLocations",
                                      f"{self.cookie}<fileDigests>{listed}</fileDigests>"),
                            "GetFileLocationsResult")
        self._take_cookie(soap.child(result, "NewCookie"))
        return {base64.b64decode(soap.text(p, "FileDigest")): soap.text(p, "Url")
                for p in soap.children(soap.child(result, "FileLocations"), "FileLocation")}

    def download(self, claim: Claim) -> bytes:
        """Closed ranges over one connection; the path is the one the server told."""
        path = urlsplit(self.scanned.urls[claim.sha1]).path
        if path != claim.path:
            raise Mismatch(f"told {path} for {claim.path}")
        parts = [get_range(self.content, claim, first, min(first + RANGE, claim.size) - 1)[0]
                 for first in range(0, claim.size, RANGE)]
        return check(claim, b"".join(parts))

    def report(self) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        event = (f"<ReportingEvent><BasicData><TargetID><Sid>0f1e2d3c-0000-4000-8000-00000000000a"
                 f"</Sid></TargetID><SequenceNumber>0</SequenceNumber><TimeAtTarget>{now}"
                 "</TimeAtTarget><EventInstanceID>0f1e2d3c-0000-4000-8000-00000000000b"
                 "</EventInstanceID><NamespaceID>1</NamespaceID><EventID>147</EventID><SourceID>101"
                 "</SourceID><UpdateID><UpdateID>00000000-0000-0000-0000-000000000000</UpdateID>"
                 "<RevisionNumber>0</RevisionNumber></UpdateID><Win32HResult>0</Win32HResult>"
                 "<AppName>test</AppName></BasicData><ExtendedData><MiscData><string>K=&lt;&lt;"
                 "PROCESS&gt;&gt;: powershell.exe</string></MiscData><ComputerBrand/>"
                 "<ComputerModel/><BiosRevision/><ProcessorArchitecture>Amd64Compatible"
                 "</ProcessorArchitecture><OSVersion><Major>10</Major><Minor>0</Minor><Build>26200"
                 "</Build><Revision>1</Revision><ServicePackMajor>0</ServicePackMajor>"
                 "<ServicePackMinor>0</ServicePackMinor></OSVersion><OSLocaleID>1033</OSLocaleID>"
                 "<DeviceID/></ExtendedData><PrivateData/></ReportingEvent>")
        done = self.call("ReportEventBatch", f"{self.cookie}<clientTime>{now}</clientTime>"
                         f"<eventBatch>{event}</eventBatch>", soap.REPORTING)
        if soap.text(done, "ReportEventBatchResult") != "true":
            raise Mismatch("the report was not taken")


COMPUTER = (
    "<DnsName>pc1.branch.example</DnsName><OSMajorVersion>10</OSMajorVersion><OSMinorVersion>0"
    "</OSMinorVersion><OSBuildNumber>26200</OSBuildNumber><OSServicePackMajorNumber>0"
    "</OSServicePackMajorNumber><OSServicePackMinorNumber>0</OSServicePackMinorNumber>"
    "<OSLocale>en-US</OSLocale><ComputerManufacturer>Contoso</ComputerManufacturer>"
    "<ComputerModel>Box</ComputerModel><BiosVersion>1</BiosVersion><BiosName>B</BiosName>"
    "<BiosReleaseDate>2026-01-01T00:00:00</BiosReleaseDate><ProcessorArchitecture>AMD64"
    "</ProcessorArchitecture><SuiteMask>256</SuiteMask><OldProductType>1</OldProductType>"
    "<NewProductType>48</NewProductType><SystemMetrics>0</SystemMetrics>"
    "<ClientVersionMajorNumber>10</ClientVersionMajorNumber><ClientVersionMinorNumber>0"
    "</ClientVersionMinorNumber><ClientVersionBuildNumber>26100</ClientVersionBuildNumber>"
    "<ClientVersionQfeNumber>1</ClientVersionQfeNumber>")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca", required=True)
    options = parser.parse_args()
    with Agent(options.url, options.ca) as agent:
        scanned = agent.scan()
        size = sum(len(agent.download(c)) for c in scanned.claims.values())
        agent.report()
    print(json.dumps({"updates": len(scanned.updates), "pages": scanned.pages,
                      "files": len(scanned.claims), "content_bytes": size}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
