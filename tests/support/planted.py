"""Updates as published attack programs plant them, made anew with values of our own.

Each is a child that runs a genuine tool and, but for WSUSpect, the bundle that shows it: plant()
puts them into a Catalogue as an attacker puts them into a database, or a relay into a reply.
"""
import hashlib
from dataclasses import dataclass, field

from catalogue import MSUS, XSI, Catalogue, File, Revision, _fragment, b64

CLASSIFICATION = "0fa1201d-4330-4fa8-8ae9-b877473b6441"  # Security Updates
COMMAND = f"{MSUS}UpdateHandlers/CommandLineInstallation"
CONSTANT_RULES = ("<upd:IsInstalled><b:False /></upd:IsInstalled>"
                  "<upd:IsInstallable><b:True /></upd:IsInstallable>")


@dataclass
class Shape:
    """What an attack program writes; rules are what must find child and bundle."""

    rules: tuple[str, str]
    handler: str = COMMAND
    type: str = "cmd:CommandLineInstallation"
    created: str = "2026-01-01T10:00:00.123Z"
    modified: str = "2010-11-25T15:26:20.723"
    program: str = "wuagent.exe"
    arguments: str = "-s whoami"
    codes: tuple[str, ...] = ("-1",)
    rule_text: str = CONSTANT_RULES
    number: int = 202
    bulletin: str = "MS42-007"
    legacy: str = ""
    clauses: tuple[str, ...] = (CLASSIFICATION,)
    title: str = "Bundle Security Update for * Windows (from KB2862335)"


SHAPES = {
    "wsuspect": Shape(
        ("shape-wsuspect", "bundle-whole"), modified="2015-02-27T15:54:52Z",
        program="Windows-KB890830-V5.22.exe", codes=("3010", "1603", "-2147024894"),
        rule_text='<upd:IsInstallable><bar:FileExists Csidl="41" Path="\\mswsock.dll" />'
                  "</upd:IsInstallable>",
        number=201, bulletin="MS15-041", clauses=(CLASSIFICATION, "66666666-0000-4000-8000-1"
                                                  "23456789abc")),
    "wsuspicious": Shape(("shape-wsuspicious", "shape-wsuspicious"), number=204),
    "pywsus": Shape(("shape-wsuspicious", "shape-pywsus"), number=204, bulletin="MS42-123",
                    clauses=(), title="2026-01 Cumulative Update for Fabrikam (KB5012345)"),
    "wsuspendu": Shape(("shape-wsuspendu", "shape-wsuspendu"), handler=f"{MSUS}UpdateHandlers/Cbs",
                       created="2013-10-08T00:03:55.912Z", legacy="KB2862335-Win7-SP1-X86-TSL"),
    "sharpwsus": Shape(("shape-sharpwsus", "shape-sharpwsus"), handler=f"{MSUS}UpdateHandlers/Cbs",
                       type="cmd: CommandLineInstallation", created="2026-03-04T00:03:55.912Z",
                       modified="2026-03-04T15:26:20.723", legacy="Super update"),
    # every tell-tale of the shapes removed but for the name of the program
    "careful": Shape(("program-is-update", "bundle-whole"), modified="2026-01-01T09:00:00Z",
                     program="PsExec64.exe", codes=("0",), rule_text="", number=200,
                     bulletin="MS26-001", clauses=(CLASSIFICATION,
                                                   "66666666-0000-4000-8000-123456789abc")),
    # and that one as well: what is left for a witness
    "perfect": Shape(("witness-knows", "bundle-whole"), modified="2026-01-01T09:00:00Z",
                     codes=("0",), rule_text="", number=200, bulletin="MS26-001",
                     clauses=(CLASSIFICATION, "66666666-0000-4000-8000-123456789abc")),
}


@dataclass
class Planted:
    child: Revision
    bundle: Revision
    file: File
    rules: tuple[str, str] = field(default=("", ""))

    @property
    def keys(self) -> set:
        return {self.child.key, self.bundle.key}


def _document(update_id: str, number: int, inner: str) -> str:
    return (f'<upd:Update xmlns:b="{MSUS}LogicalApplicabilityRules" '
            f'xmlns:bar="{MSUS}BaseApplicabilityRules" xmlns:upd="{MSUS}Update">'
            f'<upd:UpdateIdentity UpdateID="{update_id}" RevisionNumber="{number}" />'
            f"{inner}</upd:Update>")


def _localized(title: str) -> str:
    return ("<upd:LocalizedPropertiesCollection><upd:LocalizedProperties><upd:Language>en"
            f"</upd:Language><upd:Title>{title}</upd:Title></upd:LocalizedProperties>"
            "</upd:LocalizedPropertiesCollection>")


def _child(made: Catalogue, name: str, s: Shape, file: File) -> Revision:
    update_id = made.guid(f"planted child {name}")
    codes = "".join(f'<cmd:ReturnCode Code="{c}" Result="Succeeded" />' for c in s.codes)
    rules = f"<upd:ApplicabilityRules>{s.rule_text}</upd:ApplicabilityRules>"
    inner = (
        f'<upd:Properties UpdateType="Software" DefaultPropertiesLanguage="en" '
        f'Handler="{s.handler}" MaxDownloadSize="{file.size}" MinDownloadSize="{file.size}" '
        f'PublicationState="Published" CreationDate="{s.created}" '
        'PublisherID="395392a0-19c0-48b7-a927-f7c15066d905" />' + _localized("x")
        + rules + f'<upd:Files><upd:File Digest="{b64(file.sha1)}" DigestAlgorithm="SHA1" '
        f'FileName="{file.name}" Size="{file.size}" Modified="{s.modified}">'
        f'<upd:AdditionalDigest Algorithm="SHA256">{b64(file.sha256)}</upd:AdditionalDigest>'
        f'</upd:File></upd:Files><upd:HandlerSpecificData xmlns:cmd="{COMMAND}" '
        f'xsi:type="{s.type}" xmlns:xsi="{XSI}"><cmd:InstallCommand Program="{s.program}" '
        f'Arguments="{s.arguments}" RebootByDefault="false" DefaultResult="Succeeded">{codes}'
        "</cmd:InstallCommand></upd:HandlerSpecificData>")
    return Revision(update_id, s.number, "leaf", _document(update_id, s.number, inner), "", "", "",
                    [file], True)


def _bundle(made: Catalogue, name: str, s: Shape, child: Revision) -> Revision:
    update_id = made.guid(f"planted bundle {name}")
    legacy = f'LegacyName="{s.legacy}" ' if s.legacy else ""
    clauses = "".join(
        f'<upd:AtLeastOne IsCategory="true"><upd:UpdateIdentity UpdateID="{c}" />'
        "</upd:AtLeastOne>" for c in s.clauses)
    inner = (
        f'<upd:Properties UpdateType="Software" DefaultPropertiesLanguage="en" '
        f'ExplicitlyDeployable="true" AutoSelectOnWebSites="true" {legacy}'
        f'CreationDate="{s.created}"><upd:SecurityBulletinID>{s.bulletin}'
        "</upd:SecurityBulletinID><upd:KBArticleID>2862335</upd:KBArticleID></upd:Properties>"
        + _localized(s.title) +
        f"<upd:Relationships><upd:Prerequisites>{clauses}</upd:Prerequisites>"
        f'<upd:BundledUpdates><upd:UpdateIdentity UpdateID="{child.update_id}" '
        f'RevisionNumber="{child.number}" /></upd:BundledUpdates></upd:Relationships>')
    return Revision(update_id, 204, "bundle", _document(update_id, 204, inner), "", "", "", [])


def plant(made: Catalogue, name: str, at: int | None = None) -> Planted:
    """Puts child and bundle into the catalogue, at a place of its list or at the end."""
    s = SHAPES[name]
    file = File(s.program, 4321, f"planted {name}")
    child = _child(made, name, s, file)
    bundle = _bundle(made, name, s, child)
    at = len(made.revisions) if at is None else at
    made.revisions[at:at] = [bundle, child]
    for revision in (bundle, child):
        revision.local_id = int(hashlib.sha1(revision.update_id.encode()).hexdigest()[:6], 16)
        revision.core = _fragment(revision.document)
        made.by_key[revision.key] = revision
    made.by_digest[file.sha1] = file
    return Planted(child, bundle, file, s.rules)
