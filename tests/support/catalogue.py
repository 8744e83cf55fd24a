"""A made-up update catalogue: the same seed gives the same bytes on every machine, but for the
signatures of files, whose keys are new in each process.

Categories, classifications, detectoids, bundles and leaf children whose documents have the shape
of real ones, and files whose content can be produced from any offset without being stored. Files
are what their names promise: cabinets are signed, the rest is of kinds that carry no signature.
"""
import base64
import hashlib
import random
import re
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from xml.sax.saxutils import escape, quoteattr

import cabinet
import signer

MSUS = "http://schemas.microsoft.com/msus/2002/12/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
BLOCK = 1 << 20
PLAIN_LIMIT = 5120  # bytes of UTF-16; a real server compresses above it
SPACE = uuid.UUID("6b8f7c52-3d0e-4c7e-9f6b-6d1f0a5c2e11")
EXTENSIONS = ("cab", "esd", "msu", "psf", "cab", "txt", "wim")
CABINETS = ("cab", "msu")
MARKS = {"esd": b"MSWIM\0\0\0", "wim": b"MSWIM\0\0\0"}
SIZES = (1, 17, 4096, 65536, 65537, 300_000, 1_048_576, 1_048_577, 2_500_000, 777)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass
class File:
    """Content that can be read at any offset. claim_* is what metadata says about it; overlay
    is what stands at some offsets instead of noise; is_old: metadata names it by SHA-1 alone."""

    name: str
    size: int
    salt: str
    claim_sha1: bytes = b""
    claim_sha256: bytes = b""
    claim_size: int = -1
    sha1: bytes = b""
    sha256: bytes = b""
    overlay: dict[int, bytes] = field(default_factory=dict)
    is_old: bool = False

    def __post_init__(self) -> None:
        one, two = hashlib.sha1(), hashlib.sha256()
        for part in self.pieces():
            one.update(part)
            two.update(part)
        self.sha1, self.sha256 = one.digest(), two.digest()
        self.claim_sha1 = self.claim_sha1 or self.sha1
        self.claim_sha256 = self.claim_sha256 or self.sha256
        self.claim_size = self.size if self.claim_size < 0 else self.claim_size

    @cached_property
    def _base(self) -> bytes:
        return hashlib.shake_256(self.salt.encode()).digest(min(BLOCK, self.size + 8))

    def _block(self, number: int) -> bytes:
        return number.to_bytes(8, "big") + self._base[8:] if number else self._base

    def pieces(self, first: int = 0, end: int | None = None):
        """The bytes from first to before end, in pieces of at most one MiB."""
        end = self.size if end is None else min(end, self.size)
        while first < end:
            number, offset = divmod(first, BLOCK)
            part = self._block(number)[offset:offset + end - first]
            yield self._laid_over(first, part)
            first += len(part)

    def _laid_over(self, first: int, part: bytes) -> bytes:
        for at, over in self.overlay.items():
            low, high = max(at, first), min(at + len(over), first + len(part))
            if low < high:
                part = part[:low - first] + over[low - at:high - at] + part[high - first:]
        return part

    def read(self, first: int = 0, end: int | None = None) -> bytes:
        return b"".join(self.pieces(first, end))

    @property
    def path(self) -> str:
        digest = self.claim_sha1.hex().upper()
        return f"/Content/{digest[-2:]}/{digest}.{self.name.rpartition('.')[2]}"

    @property
    def mu_url(self) -> str:
        stem, _, ext = self.name.rpartition(".")
        return (f"http://download.example.test/c/msdownload/update/software/updt/2026/01/"
                f"{stem}_{self.claim_sha1.hex()}.{ext}")


def genuine(name: str, size: int, salt: str, **claims) -> File:
    """A file that is what its name promises."""
    ext = name.rpartition(".")[2]
    overlay = {0: MARKS[ext]} if ext in MARKS else {}
    if ext in CABINETS:
        noise = File(name, size, salt)
        overlay = signer.make().overlay(size, noise.pieces)
    return File(name, size, salt, overlay=overlay, **claims)


@dataclass
class Revision:
    update_id: str
    number: int
    kind: str                 # category | detectoid | bundle | leaf
    document: str
    core: str                 # client fragments
    extended: str
    localized: str
    files: list[File] = field(default_factory=list)
    bundled: bool = False
    local_id: int = 0         # the id between this server and its clients

    @property
    def key(self) -> tuple[str, int]:
        return self.update_id, self.number

    @cached_property
    def blob(self) -> tuple[str, str]:
        """(element name, text): as XmlUpdateBlob or XmlUpdateBlobCompressed."""
        return blob_of(self.document, stored=self.local_id % 7 == 0)


def blob_of(document: str, stored: bool = False) -> tuple[str, str]:
    wide = document.encode("utf-16-le")
    if len(wide) <= PLAIN_LIMIT:
        return "XmlUpdateBlob", escape(document)
    kind = cabinet.NONE if stored else cabinet.MSZIP
    return "XmlUpdateBlobCompressed", b64(cabinet.write(wide, kind))


def _properties(kind: str, attributes: str, inner: str) -> str:
    return (f'<upd:Properties UpdateType="{kind}" DefaultPropertiesLanguage="en" {attributes}'
            'PublicationState="Published" CreationDate="2026-01-01T10:00:00.123Z" '
            f'PublisherID="66666666-7777-4888-8999-aaaaaaaaaaaa">{inner}</upd:Properties>')


def _localized(title: str, extra: str = "") -> str:
    """One in English, one in Japanese with a character outside of the first plane."""
    out = ""
    for language, text in (("en", title), ("ja", f"更新プログラム {title} 𠮷")):
        out += (f"<upd:LocalizedProperties><upd:Language>{language}</upd:Language><upd:Title>"
                f"{escape(text)}</upd:Title></upd:LocalizedProperties>")
    return f"<upd:LocalizedPropertiesCollection>{out}{extra}</upd:LocalizedPropertiesCollection>"


def _file_element(file: File, name: str = "File", more: str = "") -> str:
    second = ("" if file.is_old else '<upd:AdditionalDigest Algorithm="SHA256">'
              f'{b64(file.claim_sha256)}</upd:AdditionalDigest>')
    modified = "2011-01-01T09:00:00Z" if file.is_old else "2026-01-01T09:00:00Z"
    return (f'<upd:{name} Digest="{b64(file.claim_sha1)}" DigestAlgorithm="SHA1" '
            f'FileName={quoteattr(file.name)} Size="{file.claim_size}" {more}'
            f'Modified="{modified}">{second}</upd:{name}>')


def _fragment(document_part: str) -> str:
    """What a server makes of a part of the document for its clients."""
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", document_part)
    text = re.sub(r"<(/?)bar:", r"<\1b.", text)
    return re.sub(r"<(/?)\w+:", r"<\1", text).replace("xsi:type", "type")


CORE = {"UpdateType", "ExplicitlyDeployable", "AutoSelectOnWebSites", "EulaID", "OSUpgrade"}
NOT_EXTENDED = CORE | {"PublicationState", "PublisherID", "CreationDate", "IsPublic", "LegacyName",
                       "DetectoidType", "PerUser"}


def _for_clients(part: str) -> tuple[str, str]:
    """Properties as they stand in core, and in extended."""
    head, _, children = part.rstrip().removesuffix("</upd:Properties>").partition(">")
    attributes = re.findall(r'(\w+)=("[^"]*")', head)

    def kept(keep) -> str:
        return "".join(f" {name}={value}" for name, value in attributes if keep(name))
    core = f"<upd:Properties{kept(lambda n: n in CORE)} />"
    return core, (f"<upd:ExtendedProperties{kept(lambda n: n not in NOT_EXTENDED)}>{children}"
                  "</upd:ExtendedProperties>")


class Catalogue:
    """revisions in all, spread over the kinds; files distinct content files."""

    def __init__(self, seed: int = 1, revisions: int = 300, files: int = 50,
                 big: int = 20 << 20, lies: bool = False, huge: int = 0) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.revisions: list[Revision] = []
        self.files = self._make_files(files, big)
        self.liars: dict[str, File] = {}
        if huge:
            self.files.append(genuine("huge.wim", huge, f"{seed}/huge"))
        self._categories()
        spare = list(self.files)
        while len(self.revisions) < revisions or spare:
            self._bundle(spare)
        if lies:
            self._lies()
        self.by_key = {r.key: r for r in self.revisions}
        self.by_digest = {f.claim_sha1: f for r in self.revisions for f in r.files}

    def guid(self, what: str) -> str:
        return str(uuid.uuid5(SPACE, f"{self.seed}/{what}"))

    def of_kind(self, *kinds: str) -> list[Revision]:
        return [r for r in self.revisions if r.kind in kinds]

    def _make_files(self, count: int, big: int | dict[int, int]) -> list[File]:
        sizes = big if isinstance(big, dict) else {count - 1: big} if big else {}
        made = []
        for i in range(count):
            size = sizes.get(i) or SIZES[i % len(SIZES)] + i // len(SIZES)
            ext = EXTENSIONS[i % len(EXTENSIONS)] if size >= signer.LEAST else "txt"
            made.append(genuine(f"package-{i:03}.{ext}", size, f"{self.seed}/{i}"))
        return made

    def _add(self, what: str, number: int, kind: str, parts: dict[str, str],
             files: list[File] = (), bundled: bool = False) -> Revision:
        update_id = self.guid(what)
        identity = f'<upd:UpdateIdentity UpdateID="{update_id}" RevisionNumber="{number}" />'
        document = (
            f'<upd:Update xmlns:cat="{MSUS}UpdateHandlers/Category" '
            f'xmlns:cmd="{MSUS}UpdateHandlers/CommandLineInstallation" '
            f'xmlns:bar="{MSUS}BaseApplicabilityRules" xmlns:lar="{MSUS}LogicalApplicabilityRules" '
            f'xmlns:upd="{MSUS}Update">{identity}'
            + "".join(parts.get(name, "") for name in
                      ("properties", "localized", "relationships", "rules", "files", "handler"))
            + "</upd:Update>")
        in_core, in_extended = _for_clients(parts["properties"])
        core = identity + in_core + parts.get("relationships", "") + parts.get("rules", "")
        extended = in_extended + parts.get("files", "") + parts.get("handler", "")
        english = re.search("<upd:LocalizedProperties>.*?</upd:LocalizedProperties>",
                            parts["localized"])
        revision = Revision(update_id, number, kind, document, _fragment(core),
                            _fragment(extended), _fragment(english[0]), list(files),
                            bundled, 1000 + len(self.revisions))
        self.revisions.append(revision)
        return revision

    def _categories(self) -> None:
        for kind, names in (("Company", ["Contoso"]), ("ProductFamily", ["Fabrikam"]),
                            ("Product", ["Fabrikam 10", "Fabrikam 11", "Fabrikam Server"]),
                            ("UpdateClassification", ["Security", "Critical", "Rollup", "Tools"])):
            for name in names:
                self._category(kind, name)
        for i in range(6):
            rule = (f'<bar:RegSz Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\\Fabrikam\\{i}" '
                    'Value="Edition" Comparison="EqualTo" Data="A &amp; B &lt;1&gt;" />')
            self._add(f"detectoid {i}", 100 + i, "detectoid", {
                "properties": _properties("Detectoid", "", ""),
                "localized": _localized(f"Detectoid {i}"),
                "rules": f"<upd:ApplicabilityRules><upd:IsInstalled>{rule}</upd:IsInstalled>"
                         "</upd:ApplicabilityRules>"})

    def _category(self, kind: str, name: str) -> None:
        handler = (f'<upd:HandlerSpecificData xsi:type="cat:Category" xmlns:xsi="{XSI}">'
                   f'<cat:CategoryInformation CategoryType="{kind}" ProhibitsSubcategories="false" '
                   'ProhibitsUpdates="false" DisplayOrder="2147483647" ExcludedByDefault="false" />'
                   "</upd:HandlerSpecificData>")
        for number in (1, 100) if kind == "Company" else (100,):  # lists repeat an id, so do we
            self._add(f"{kind} {name}", number, "category", {
                "properties": _properties("Category",
                                          f'Handler="{MSUS}UpdateHandlers/Category" ', ""),
                "localized": _localized(name),
                "rules": "<upd:ApplicabilityRules><upd:IsInstalled><lar:True /></upd:IsInstalled>"
                         "</upd:ApplicabilityRules>",
                "handler": handler})

    def _filling(self) -> str:
        """Rules that make the document of one leaf in a few long, of one in many huge."""
        number = len(self.revisions)
        if number % 25 == 24:
            noise = b64(self.random.randbytes(300_000))
            return f'<bar:RegSz Key="HKEY_LOCAL_MACHINE" Subkey="N" Value="V" Data="{noise}" />'
        return "".join(
            f'<bar:FileVersion Csidl="36" Path="\\fabrikam\\{i}.dll" '
            f'Comparison="GreaterThanOrEqualTo" Version="10.0.{number}.{i}" />'
            for i in range(number % 60))

    def _leaf(self, what: str, files: list[File], eula: File | None = None) -> Revision:
        size = sum(f.claim_size for f in files)
        program = quoteattr(files[0].name if files else "none.exe")
        agreement = _file_element(eula, "EulaFile", 'Language="en" ') if eula else ""
        named = {f.claim_sha1: f for f in [*files, *([eula] if eula else [])]}
        return self._add(what, 200, "leaf", {
            "properties": _properties(
                "Software", f'Handler="{MSUS}UpdateHandlers/CommandLineInstallation" '
                f'MaxDownloadSize="{size}" MinDownloadSize="0" ',
                '<upd:InstallationBehavior Impact="Minor" />'),
            "localized": _localized(f"Payload {what}", agreement),
            "relationships": "<upd:Relationships><upd:Prerequisites><upd:UpdateIdentity "
                             f'UpdateID="{self.guid("detectoid 0")}" /></upd:Prerequisites>'
                             "</upd:Relationships>",
            "rules": "<upd:ApplicabilityRules><upd:IsInstalled><lar:And>" + self._filling()
                     + "</lar:And></upd:IsInstalled></upd:ApplicabilityRules>",
            "files": "<upd:Files>" + "".join(map(_file_element, files)) + "</upd:Files>"
                     if files else "",
            "handler": f'<upd:HandlerSpecificData xsi:type="cmd:CommandLineInstallation" '
                       f'xmlns:xsi="{XSI}"><cmd:InstallCommand Program={program} '
                       'Arguments="/q"><cmd:ReturnCode Code="0" Result="Succeeded" />'
                       "</cmd:InstallCommand></upd:HandlerSpecificData>",
        }, list(named.values()), bundled=True)

    def _bundle(self, spare: list[File]) -> Revision:
        number = len(self.revisions)
        leaves = []
        for i in range(self.random.randint(1, 3)):
            files = [spare.pop() for _ in range(min(len(spare), self.random.randint(1, 3)))]
            if not files and number % 2:
                files = [self.random.choice(self.files)]  # the same file in two updates
            eula = spare.pop() if spare and i == 0 and number % 5 == 0 else None
            leaves.append(self._leaf(f"leaf {number}/{i}", files, eula))
        return self._bundle_of(f"bundle {number}", leaves)

    def _bundle_of(self, what: str, leaves: list[Revision]) -> Revision:
        refs = "".join(f'<upd:UpdateIdentity UpdateID="{r.update_id}" '
                       f'RevisionNumber="{r.number}" />' for r in leaves)
        category = "".join(
            f'<upd:AtLeastOne IsCategory="true"><upd:UpdateIdentity UpdateID="{self.guid(c)}" />'
            "</upd:AtLeastOne>" for c in ("Product Fabrikam 11", "UpdateClassification Security"))
        kb = 5_000_000 + len(self.revisions)
        return self._add(what, 204, "bundle", {
            "properties": _properties(
                "Software", 'ExplicitlyDeployable="true" AutoSelectOnWebSites="true" '
                'MsrcSeverity="Critical" ',
                "<upd:SupportUrl>https://support.example.test/kb</upd:SupportUrl>"
                f"<upd:KBArticleID>{kb}</upd:KBArticleID>"),
            "localized": _localized(f"2026-01 Cumulative Update for Fabrikam (KB{kb})"),
            "relationships": f"<upd:Relationships><upd:Prerequisites>{category}"
                             f"</upd:Prerequisites><upd:BundledUpdates><upd:AtLeastOne>{refs}"
                             "</upd:AtLeastOne></upd:BundledUpdates></upd:Relationships>"})

    def _lies(self) -> None:
        """One leaf a wrong claim: only the SHA-1, only the SHA-256, only the size."""
        other = hashlib.sha1(b"another file").digest()
        self.liars = {
            "sha1": genuine("lie-sha1.cab", 70_001, "lie 1", claim_sha1=other),
            "sha256": genuine("lie-sha256.cab", 70_002, "lie 2",
                           claim_sha256=hashlib.sha256(b"another file").digest()),
            "size": genuine("lie-size.cab", 70_003, "lie 3", claim_size=70_000)}
        leaves = [self._leaf(f"lie {k}", [f]) for k, f in self.liars.items()]
        self._bundle_of("lies", leaves)
