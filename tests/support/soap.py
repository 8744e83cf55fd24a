"""SOAP 1.1 as the WSUS services speak it: services, operations, envelopes, faults.

Documents are built as text and read with ElementTree; `canonical` is what two envelopes are
compared by: names with namespaces, attributes, text, without prefixes, blank text and nil members.
"""
import uuid
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
S = "http://www.microsoft.com/SoftwareDistribution"
DSS = S + "/Server/DssAuthWebService"
SIMPLE = S + "/Server/SimpleAuthWebService"
C = S + "/Server/ClientWebService"

SERVER_SYNC = "/ServerSyncWebService/ServerSyncWebService.asmx"
DSS_AUTH = "/DssAuthWebService/DssAuthWebService.asmx"
REPORTING = "/ReportingWebService/ReportingWebService.asmx"
CLIENT = "/ClientWebService/Client.asmx"
SIMPLE_AUTH = "/SimpleAuthWebService/SimpleAuth.asmx"

NAMESPACES = {SERVER_SYNC: S, DSS_AUTH: DSS, REPORTING: S, CLIENT: C, SIMPLE_AUTH: SIMPLE}
CONTENT_TYPE = "text/xml; charset=utf-8"


def action(path: str, operation: str) -> str:
    return f"{NAMESPACES[path]}/{operation}"


def request(operation: str, namespace: str, members: str) -> bytes:
    """An envelope as a .NET caller writes it; members is XML text."""
    return (f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{ENVELOPE}" '
            f'xmlns:xsi="{XSI}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
            f'<{operation} xmlns="{namespace}">{members}</{operation}>'
            '</soap:Body></soap:Envelope>').encode()


def client_request(operation: str, namespace: str, members: str) -> bytes:
    """An envelope as the Windows Update agent writes it."""
    return (f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><{operation} xmlns="{namespace}">'
            f'{members}</{operation}></s:Body></s:Envelope>').encode()


def response(operation: str, namespace: str, result: str | None) -> bytes:
    inner = "" if result is None else f"<{operation}Result>{result}</{operation}Result>"
    return request(f"{operation}Response", namespace, inner)


def client_response(operation: str, result: str | None) -> bytes:
    inner = "" if result is None else f"<{operation}Result>{result}</{operation}Result>"
    return (f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body xmlns:xsi="{XSI}" '
            f'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><{operation}Response xmlns="{C}">'
            f'{inner}</{operation}Response></s:Body></s:Envelope>').encode()


def fault(code: str, message: str, method: str, actor: str) -> bytes:
    who = "Server" if code in ("InternalServerError", "ServerBusy") else "Client"
    return (f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{ENVELOPE}">'
            f'<soap:Body><soap:Fault><faultcode>soap:{who}</faultcode>'
            f'<faultstring>Fault occurred</faultstring><faultactor>{escape(actor)}</faultactor>'
            f'<detail><ErrorCode>{escape(code)}</ErrorCode><Message>{escape(message)}</Message>'
            f'<ID>{uuid.uuid4()}</ID><Method>"{escape(method)}"</Method></detail>'
            '</soap:Fault></soap:Body></soap:Envelope>').encode()


class Fault(Exception):
    """A SOAP fault that came instead of an answer."""

    def __init__(self, status: int, code: str, message: str, actor: str = "") -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.actor = status, code, message, actor


def local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def body_of(envelope: bytes) -> ET.Element:
    """The one element inside soap:Body; raises ValueError when there is none."""
    try:
        root = ET.fromstring(envelope)
    except ET.ParseError as broken:
        raise ValueError(f"not XML: {broken}") from broken
    body = root.find(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) != 1:
        raise ValueError("not a SOAP envelope with one body element")
    return body[0]


def fault_of(status: int, envelope: bytes) -> Fault | None:
    """The fault in an envelope, or None when it holds something else."""
    element = body_of(envelope)
    if element.tag != f"{{{ENVELOPE}}}Fault":
        return None
    return Fault(status, element.findtext("detail/ErrorCode", ""),
                 element.findtext("detail/Message", ""), element.findtext("faultactor", ""))


def child(element: ET.Element | None, *path: str) -> ET.Element | None:
    """The first descendant along local names."""
    for name in path:
        if element is None:
            return None
        element = next((e for e in element if local(e) == name), None)
    return element


def children(element: ET.Element | None, name: str) -> list[ET.Element]:
    return [] if element is None else [e for e in element if local(e) == name]


def text(element: ET.Element | None, *path: str) -> str:
    found = child(element, *path)
    return "" if found is None or found.text is None else found.text


def canonical(element: ET.Element) -> tuple:
    """What the element says, as a value two envelopes can be compared by."""
    kids = tuple(canonical(e) for e in element if e.get(f"{{{XSI}}}nil") not in ("true", "1"))
    content = (element.text or "") if not kids else (element.text or "").strip()
    return (element.tag, tuple(sorted(element.attrib.items())), content, kids)
