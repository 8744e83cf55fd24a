"""The asking side: one kept-alive connection, SOAP calls and content requests over it."""
import http.client
import socket
import ssl
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import urlsplit

import coding
import soap

TIMEOUT = 60.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes

    @property
    def coding(self) -> str:
        return self.headers.get("content-encoding", "")


class Wire:
    """One connection to http://host:port or https://host:port, opened when needed.

    ca is the only trust anchor for https; pair is (certificate, key) for mutual TLS; source is the
    address to come from."""

    def __init__(self, url: str, ca: str = "", pair: tuple[str, str] | None = None,
                 timeout: float = TIMEOUT, agent: str = "", source: str = "") -> None:
        parts = urlsplit(url)
        self.host, self.tls = parts.hostname or "", parts.scheme == "https"
        self.port = parts.port or (443 if self.tls else 80)
        self.timeout = timeout
        self.agent = agent
        self.source = (source, 0) if source else None
        self.context = None
        if self.tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.context.load_verify_locations(ca)
            if pair:
                self.context.load_cert_chain(*pair)
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = (
                http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout,
                                            context=self.context, source_address=self.source)
                if self.tls else
                http.client.HTTPConnection(self.host, self.port, timeout=self.timeout,
                                           source_address=self.source))
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection

    def ask(self, method: str, target: str, headers: dict[str, str] | None = None,
            body: bytes | None = None) -> Answer:
        """One exchange. A kept connection that the other side closed meanwhile is replaced once;
        everything else is the caller's to see."""
        for fresh in (self._connection is None, True):
            connection = self._open()
            try:
                return self._exchange(connection, method, target, headers or {}, body)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError,
                    ssl.SSLEOFError):
                self.close()
                if fresh:
                    raise
            except BaseException:
                self.close()
                raise
        raise AssertionError("not reached")

    def _exchange(self, connection: http.client.HTTPConnection, method: str, target: str,
                  headers: dict[str, str], body: bytes | None) -> Answer:
        connection.putrequest(method, target, skip_accept_encoding=True)
        if self.agent:
            connection.putheader("User-Agent", self.agent)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        reply = connection.getresponse()
        data = reply.read()
        if reply.will_close:
            self.close()
        return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, data)

    def post(self, path: str, action: str, envelope: bytes, accept: str = "") -> Answer:
        headers = {"Content-Type": soap.CONTENT_TYPE, "SOAPAction": f'"{action}"'}
        if accept:
            headers["Accept-Encoding"] = accept
        return self.ask("POST", path, headers, envelope)

    def call(self, path: str, operation: str, envelope: bytes, accept: str = "",
             target: str = "") -> ET.Element:
        """A SOAP call: the element inside the answer's body. A fault is raised as soap.Fault.
        target is another spelling of path."""
        answer = self.post(target or path, soap.action(path, operation), envelope, accept)
        body = coding.decode(answer.coding, answer.body)
        if not answer.headers.get("content-type", "").startswith("text/xml"):
            raise soap.Fault(answer.status, "", f"no SOAP: {body[:200]!r}")
        if fault := soap.fault_of(answer.status, body):
            raise fault
        element = soap.body_of(body)
        if answer.status != 200 or soap.local(element) != f"{operation}Response":
            raise soap.Fault(answer.status, "", f"unexpected {soap.local(element)}")
        return element


def content_url(tls_url: str) -> str:
    """The content address a downstream server derives: the same host, port N - 1, plain."""
    parts = urlsplit(tls_url)
    port = 80 if parts.port in (None, 443) else parts.port - 1
    return f"http://{parts.hostname}:{port}"
