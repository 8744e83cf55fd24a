"""What attack programs put into replies to clients, made anew with values of our own: a visible
bundle and a hidden child that runs a genuine tool, as the fragments a client gets of them.

The first three sit on the path; what the other two put into a database an honest server hands to
its clients in the same form."""
from dataclasses import dataclass, replace

from catalogue import MSUS, Catalogue, File, Revision, b64

SECURITY = "0fa1201d-4330-4fa8-8ae9-b877473b6441"
PRODUCT = "6407468e-edc7-4ecd-8c32-521f64cee65e"
COMMAND = f"{MSUS}UpdateHandlers/CommandLineInstallation"
CONSTANTS = "<IsInstalled><False /></IsInstalled><IsInstallable><True /></IsInstallable>"


@dataclass
class Told:
    """rules: what must find something of it in SyncUpdates and in GetExtendedUpdateInfo."""

    rules: tuple[str, str]
    number: int = 204
    clauses: tuple[tuple[str, ...], ...] = ((SECURITY,),)
    child_rules: str = CONSTANTS
    child_relations: str = ""
    modified: str = "2010-11-25T15:26:20.723"
    program: str = "wuagent.exe"
    arguments: str = "-s whoami"
    codes: tuple[str, ...] = ("-1",)
    type: str = "cmd:CommandLineInstallation"
    bulletin: str = "MS42-007"
    kb: str = "2862335"
    titles: tuple[str, str] = ("Bundle Security Update for * Windows (from KB2862335)",
                               "Probably-legal-update")


ATTACKS = {
    "wsuspect": Told(
        ("category-reached", "shape-wsuspect"), number=201, clauses=((SECURITY, PRODUCT),),
        child_rules='<IsInstallable><b.FileExists Csidl="41" Path="\\mswsock.dll" />'
                    "</IsInstallable>",
        child_relations="<Relationships><Prerequisites><AtLeastOne><UpdateIdentity UpdateID="
                        '"2ee98eb7-4f5a-4f5d-8c1d-1f36ebf1a5b1" /></AtLeastOne></Prerequisites>'
                        "</Relationships>",
        modified="2015-02-27T15:54:52Z", program="Windows-KB890830-V5.22.exe",
        codes=("3010", "1603", "-2147024894"), bulletin="MS15-041", kb="3037581",
        titles=("fake-1234-x64", "Critical update")),
    "wsuspicious": Told(("category-reached|shape-wsuspicious", "shape-wsuspicious"),
                        child_relations="<Relationships></Relationships>"),
    "pywsus": Told(("category-reached|shape-wsuspicious", "shape-wsuspicious|shape-pywsus"),
                   clauses=(), bulletin="MS42-123", kb="5012345",
                   titles=("2026-01 Cumulative Update for Fabrikam (KB5012345)", "x")),
    "wsuspendu": Told(("category-reached|shape-wsuspicious", "shape-wsuspicious"), number=202),
    "sharpwsus": Told(("category-reached|shape-wsuspicious", "shape-sharpwsus"), number=202,
                      type="cmd: CommandLineInstallation",
                      modified="2026-03-04T15:26:20.723"),
    # every tell-tale gone but for the name of the program
    "careful": Told(("", "program-is-update"), clauses=((SECURITY,), (PRODUCT,)),
                    child_rules='<IsInstalled><b.FileExists Path="x" /></IsInstalled>',
                    modified="2026-01-01T09:00:00Z", program="PsExec64.exe", codes=("0",),
                    bulletin="MS26-001", kb="5099999", titles=("An update", "Its payload")),
    # and that one as well: what is left for who knows every published update
    "perfect": Told(("told-known", "told-known"), clauses=((SECURITY,), (PRODUCT,)),
                    child_rules='<IsInstalled><b.FileExists Path="x" /></IsInstalled>',
                    modified="2026-01-01T09:00:00Z", codes=("0",), bulletin="MS26-001",
                    kb="5099999", titles=("An update", "Its payload")),
}


def _localized(title: str) -> str:
    return (f"<LocalizedProperties><Language>en</Language><Title>{title}</Title>"
            "</LocalizedProperties>")


def _child(update_id: str, t: Told, file: File) -> Revision:
    codes = "".join(f'<ReturnCode Code="{c}" Result="Succeeded" />' for c in t.codes)
    return Revision(
        update_id, t.number, "leaf", "",
        f'<UpdateIdentity UpdateID="{update_id}" RevisionNumber="{t.number}" />'
        f'<Properties UpdateType="Software" />{t.child_relations}'
        f"<ApplicabilityRules>{t.child_rules}</ApplicabilityRules>",
        f'<ExtendedProperties DefaultPropertiesLanguage="en" Handler="{COMMAND}" '
        f'MaxDownloadSize="{file.size}" MinDownloadSize="{file.size}">'
        '<InstallationBehavior RebootBehavior="NeverReboots" /></ExtendedProperties><Files>'
        f'<File Digest="{b64(file.sha1)}" DigestAlgorithm="SHA1" FileName="{t.program}" '
        f'Size="{file.size}" Modified="{t.modified}"><AdditionalDigest Algorithm="SHA256">'
        f"{b64(file.sha256)}</AdditionalDigest></File></Files>"
        f'<HandlerSpecificData type="{t.type}"><InstallCommand Program="{t.program}" '
        f'Arguments="{t.arguments}" RebootByDefault="false" DefaultResult="Succeeded">{codes}'
        "</InstallCommand></HandlerSpecificData>",
        _localized(t.titles[1]), [file], True)


def _bundle(update_id: str, t: Told, child: Revision) -> Revision:
    clauses = "".join(
        '<AtLeastOne IsCategory="true">'
        + "".join(f'<UpdateIdentity UpdateID="{c}" />' for c in clause) + "</AtLeastOne>"
        for clause in t.clauses)
    return Revision(
        update_id, t.number, "bundle", "",
        f'<UpdateIdentity UpdateID="{update_id}" RevisionNumber="{t.number}" />'
        '<Properties UpdateType="Software" ExplicitlyDeployable="true" '
        'AutoSelectOnWebSites="true" /><Relationships>'
        + (f"<Prerequisites>{clauses}</Prerequisites>" if clauses else "") +
        f'<BundledUpdates><UpdateIdentity UpdateID="{child.update_id}" '
        f'RevisionNumber="{child.number}" /></BundledUpdates></Relationships>',
        '<ExtendedProperties DefaultPropertiesLanguage="en" Handler="'
        f'{MSUS}UpdateHandlers/Bundle" MsrcSeverity="Important" IsBeta="false">'
        "<SupportUrl>http://support.example.test</SupportUrl>"
        f"<SecurityBulletinID>{t.bulletin}</SecurityBulletinID><KBArticleID>{t.kb}</KBArticleID>"
        "</ExtendedProperties>",
        _localized(t.titles[0]))


@dataclass
class Put:
    child: Revision
    bundle: Revision
    file: File

    @property
    def numbers(self) -> set[int]:
        return {self.child.local_id, self.bundle.local_id}


def tell(name: str, child: Revision, bundle: Revision, file: File) -> None:
    """What the server tells its clients of these, whatever their documents are."""
    t = ATTACKS[name]
    told = _child(child.update_id, replace(t, number=child.number), file)
    shown = _bundle(bundle.update_id, replace(t, number=bundle.number), child)
    for revision, says in ((child, told), (bundle, shown)):
        revision.core, revision.extended = says.core, says.extended
        revision.localized = says.localized


def put(made: Catalogue, name: str, first: int = 17_999_990) -> Put:
    """Into what the server tells its clients, and nowhere else."""
    t = ATTACKS[name]
    file = File(t.program, 4321, f"on the path {name}")
    child = _child(made.guid(f"told child {name}"), t, file)
    bundle = _bundle(made.guid(f"told bundle {name}"), t, child)
    for number, revision in enumerate((bundle, child)):
        revision.local_id = first + number
        made.revisions.insert(len(made.revisions) // 2, revision)
        made.by_key[revision.key] = revision
    made.by_digest[file.sha1] = file
    return Put(child, bundle, file)
