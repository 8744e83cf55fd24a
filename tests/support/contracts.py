"""The contracts of the WSUS services as a table, and messages made from it with every member set.

A line is `service operation (members of the request) -> (members of the response)` or
`type = members`; a member is `name:type`, `@name:type` for an attribute, `name:[item]` for a list
whose items are named after their type, or `name:[item=type]`. What follows `=` after `|` are the
words of an enumeration. Indented lines go on from the line above.
"""
import base64
import re
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import soap

SERVICES = {"server-sync": soap.SERVER_SYNC, "dss-auth": soap.DSS_AUTH, "client": soap.CLIENT,
            "simple-auth": soap.SIMPLE_AUTH, "reporting": soap.REPORTING}

OPERATIONS = """
dss-auth GetAuthorizationCookie (accountName:string accountGuid:string programKeys:[guid]) ->
    (GetAuthorizationCookieResult:AuthorizationCookie)
server-sync GetAuthConfig () -> (GetAuthConfigResult:ServerAuthConfig)
server-sync GetCookie (authCookies:[AuthorizationCookie] oldCookie:Cookie
    protocolVersion:string) -> (GetCookieResult:Cookie)
server-sync GetConfigData (cookie:Cookie configAnchor:string) ->
    (GetConfigDataResult:ServerSyncConfigData)
server-sync GetRevisionIdList (cookie:Cookie filter:ServerSyncFilter) ->
    (GetRevisionIdListResult:RevisionIdList)
server-sync GetUpdateData (cookie:Cookie updateIds:[UpdateIdentity]) ->
    (GetUpdateDataResult:ServerUpdateData)
server-sync GetUpdateDecryptionData (cookie:Cookie updateIds:[UpdateIdentity]) ->
    (GetUpdateDecryptionDataResult:ServerDecryptionData)
server-sync GetDriverIdList (cookie:Cookie filter:ServerSyncDriverFilter) ->
    (GetDriverIdListResult:DriverSetAndRevisionIdList)
server-sync GetDriverSetData (cookie:Cookie driverSets:[guid]) ->
    (GetDriverSetDataResult:ServerDriverSetData)
server-sync DownloadFiles (cookie:Cookie fileDigestList:[base64Binary]) -> ()
server-sync GetDeployments (cookie:Cookie deploymentAnchor:string syncAnchor:string) ->
    (GetDeploymentsResult:ServerSyncDeploymentResult)
reporting ReportEventBatch (cookie:Cookie clientTime:dateTime eventBatch:[ReportingEvent]) ->
    (ReportEventBatchResult:boolean)
reporting ReportEventBatch2 (computerId:string clientTime:dateTime eventBatch:[ReportingEvent])
    -> (ReportEventBatch2Result:boolean)
reporting GetRequiredInventoryType (cookie:Cookie rulesId:guid rulesVersion:string) ->
    (GetRequiredInventoryTypeResult:int)
reporting ReportInventory (cookie:Cookie clientTime:dateTime inventory:ReportingInventory) ->
    (ReportInventoryResult:boolean)
reporting GetRollupConfiguration (cookie:Cookie) ->
    (GetRollupConfigurationResult:RollupConfiguration)
reporting RollupDownstreamServers (cookie:Cookie clientTime:dateTime
    downstreamServers:[DownstreamServerRollupInfo]) -> ()
reporting RollupComputers (cookie:Cookie clientTime:dateTime computers:[ComputerRollupInfo]) ->
    (RollupComputersResult:[ChangedComputer])
reporting GetOutOfSyncComputers (cookie:Cookie parentServerId:guid
    lastRollupNumbers:[ComputerLastRollupNumber]) -> (GetOutOfSyncComputersResult:[string])
reporting RollupComputerStatus (cookie:Cookie clientTime:dateTime parentServerId:guid
    computers:[ComputerStatusRollupInfo]) -> (RollupComputerStatusResult:boolean)
simple-auth GetAuthorizationCookie (clientId:string targetGroupName:string dnsName:string) ->
    (GetAuthorizationCookieResult:AuthorizationCookie)
client GetConfig (protocolVersion:string) -> (GetConfigResult:Config)
client GetConfig2 (clientConfiguration:ClientConfiguration) -> (GetConfig2Result:Config)
client GetCookie (authCookies:[AuthorizationCookie] oldCookie:Cookie lastChange:dateTime
    currentTime:dateTime protocolVersion:string) -> (GetCookieResult:Cookie)
client RegisterComputer (cookie:Cookie computerInfo:ComputerInfo) -> ()
client StartCategoryScan (requestedCategories:[CategoryRelationship]) ->
    (preferredCategoryIds:[guid] requestedCategoryIdsInError:[guid])
client SyncUpdates (cookie:Cookie parameters:SyncUpdateParameters) ->
    (SyncUpdatesResult:SyncInfo)
client SyncPrinterCatalog (cookie:Cookie installedNonLeafUpdateIDs:[int] printerUpdateIDs:[int]
    deviceAttributes:string) -> (SyncPrinterCatalogResult:SyncInfo)
client RefreshCache (cookie:Cookie globalIDs:[UpdateIdentity] deviceAttributes:string) ->
    (RefreshCacheResult:[RefreshCacheResult])
client GetExtendedUpdateInfo (cookie:Cookie revisionIDs:[int] infoTypes:[XmlUpdateFragmentType]
    locales:[string] deviceAttributes:string GeoId:string) ->
    (GetExtendedUpdateInfoResult:ExtendedUpdateInfo)
client GetExtendedUpdateInfo2 (cookie:Cookie updateIDs:[UpdateIdentity]
    infoTypes:[XmlUpdateFragmentType] locales:[string] deviceAttributes:string
    callerAttributes:string) -> (GetExtendedUpdateInfo2Result:ExtendedUpdateInfo2)
client GetFileLocations (cookie:Cookie fileDigests:[base64Binary]) ->
    (GetFileLocationsResult:GetFileLocationsResults)
client GetTimestamps (timestamps:[dateTime]) -> (GetTimestampsResult:[base64Binary])
"""

TYPES = """
AuthorizationCookie = PlugInId:string CookieData:base64Binary
ServerAuthConfig = LastChange:dateTime AuthInfo:[AuthPlugInInfo] AllowedEventIds:[int]
AuthPlugInInfo = PlugInID:string ServiceUrl:string Parameter:string
Cookie = Expiration:dateTime EncryptedData:base64Binary
ServerSyncConfigData = CatalogOnlySync:boolean LazySync:boolean ServerHostsPsfFiles:boolean
    MaxNumberOfUpdatesPerRequest:int MaxNumberOfDriverSetsPerRequest:int
    MaxNumberOfComputerIdsInRequest:int MaxNumberOfPnpHardwareIdsInRequest:int
    NewConfigAnchor:string ProtocolVersion:string LanguageUpdateList:[ServerSyncLanguageData]
    MaxUpdatesPerRequestInGetUpdateDecryptionData:int
ServerSyncLanguageData = LanguageID:int ShortLanguage:string LongLanguage:string Enabled:boolean
ServerSyncFilter = DssProtocolVersion:Version Anchor:string GetConfig:boolean
    Get63LanguageOnly:boolean Categories:[IdAndDelta] Classifications:[IdAndDelta]
    Languages:[LanguageAndDelta]
Version =
IdAndDelta = Id:guid Delta:boolean
LanguageAndDelta = Id:int Delta:boolean
RevisionIdList = Anchor:string NewRevisions:[UpdateIdentity]
UpdateIdentity = UpdateID:guid RevisionNumber:int
ServerUpdateData = updates:[ServerSyncUpdateData] fileUrls:[ServerSyncUrlData]
ServerSyncUpdateData = Id:UpdateIdentity XmlUpdateBlob:string FileDigestList:[base64Binary]
    XmlUpdateBlobCompressed:base64Binary
ServerSyncUrlData = FileDigest:base64Binary MUUrl:string UssUrl:string
ServerDecryptionData = UpdateFileDecryptionData:[ServerSyncUpdateFileDecryption]
ServerSyncUpdateFileDecryption = UpdateId:UpdateIdentity
    FileDecryptionData:[ServerSyncFileDecryption]
ServerSyncFileDecryption = FileDigest:base64Binary DecryptionKey:base64Binary
ServerSyncDriverFilter = DssProtocolVersion:Version Anchor:string Categories:[IdAndDelta]
    ComputerIds:[IdAndDelta] PnpHardwareIds:[HardwareIdAndDelta]
HardwareIdAndDelta = Id:string Delta:boolean
DriverSetAndRevisionIdList = Anchor:string NewRevisions:[UpdateIdentity] NewDriverSets:[guid]
    RemovedDriverSets:[guid]
ServerDriverSetData = DriverSets:[ServerSyncDriverSetData]
ServerSyncDriverSetData = DriverSetId:guid DriverSetXml:string
ServerSyncDeploymentResult = Anchor:string Groups:[ServerSyncTargetGroup]
    Deployments:[ServerSyncDeployment] DeadDeployments:[guid] HiddenUpdates:[guid]
    AcceptedEulas:[guid]
ServerSyncTargetGroup = TargetGroupID:guid ParentGroupId:guid Name:string IsBuiltin:boolean
ServerSyncDeployment = UpdateId:guid RevisionNumber:int Action:int AdminName:string
    Deadline:dateTime IsAssigned:boolean GoLiveTime:dateTime DeploymentGuid:guid
    TargetGroupId:guid DownloadPriority:unsignedByte
ReportingEvent = BasicData:BasicData ExtendedData:ExtendedData PrivateData:PrivateData
BasicData = TargetID:ComputerTargetIdentifier SequenceNumber:int TimeAtTarget:dateTime
    EventInstanceID:guid NamespaceID:int EventID:short SourceID:short
    UpdateID:UpdateRevisionIdentifier Win32HResult:int AppName:string
ComputerTargetIdentifier = Sid:string
UpdateRevisionIdentifier = UpdateID:guid RevisionNumber:int
ExtendedData = ReplacementStrings:[string] MiscData:[string] ComputerBrand:string
    ComputerModel:string BiosRevision:string ProcessorArchitecture:ProcessorArchitecture
    OSVersion:DetailedVersion OSLocaleID:int DeviceID:string
ProcessorArchitecture = | Unknown X86Compatible IA64Compatible Amd64Compatible
DetailedVersion = Major:int Minor:int Build:int Revision:int ServicePackMajor:int
    ServicePackMinor:int
PrivateData = ComputerDnsName:string UserAccountName:string
ReportingInventory = IsCompressed:boolean RawXml:string CompressedXml:base64Binary
RollupConfiguration = DoDetailedRollup:boolean RollupResetGuid:guid ServerId:guid
    RollupDownstreamServersMaxBatchSize:int RollupComputersMaxBatchSize:int
    GetOutOfSyncComputersMaxBatchSize:int RollupComputerStatusMaxBatchSize:int
DownstreamServerRollupInfo = ServerId:guid FullDomainName:string LastSyncTime:dateTime
    ParentServerId:guid Version:string IsReplica:boolean LastRollupTime:dateTime
    ServerSummary:DownstreamServerRollupServerSummary
    ClientSummaries:[DownstreamServerRollupClientSummary]
DownstreamServerRollupServerSummary = UpdateCount:int DeclinedUpdateCount:int
    ApprovedUpdateCount:int NotApprovedUpdateCount:int UpdatesWithStaleUpdateApprovalsCount:int
    ExpiredUpdateCount:int CriticalOrSecurityUpdatesNotApprovedForInstallCount:int
    WsusInfrastructureUpdatesNotApprovedForInstallCount:int UpdatesWithClientErrorsCount:int
    UpdatesWithServerErrorsCount:int UpdatesNeedingFilesCount:int
    UpdatesNeededByComputersCount:int UpdatesUpToDateCount:int
    CustomComputerTargetGroupCount:int ComputerTargetCount:int
    ComputerTargetsNeedingUpdatesCount:int ComputerTargetsWithUpdateErrorsCount:int
    ComputersUpToDateCount:int
DownstreamServerRollupClientSummary = OSMajorVersion:int OSMinorVersion:int OSBuildNumber:int
    OSServicePackMajorNumber:int OSServicePackMinorNumber:int OSLocale:string SuiteMask:short
    OldProductType:unsignedByte NewProductType:int SystemMetrics:int
    ProcessorArchitecture:string Count:int
    ActivitySummaries:[DownstreamServerRollupClientActivitySummary]
DownstreamServerRollupClientActivitySummary = UpdateId:guid RevisionNumber:int
    InstallSuccessCount:int InstallFailureCount:int
ComputerRollupInfo = Details:ComputerRollupDetails @ComputerId:string @LastSyncTime:dateTime
    @LastSyncResult:int @LastReportedRebootTime:dateTime @LastReportedStatusTime:dateTime
    @LastInventoryTime:dateTime @ParentServerId:guid
ComputerRollupDetails = TargetGroupIdList:[guid] RequestedTargetGroupNames:[string]
    @IPAddress:string @FullDomainName:string @OSMajorVersion:int @OSMinorVersion:int
    @OSBuildNumber:int @OSServicePackMajorNumber:int @OSServicePackMinorNumber:int
    @OSLocale:string @OSFamily:string @OSDescription:string @ComputerMake:string
    @ComputerModel:string @BiosVersion:string @BiosName:string @BiosReleaseDate:dateTime
    @ProcessorArchitecture:string @SuiteMask:short @OldProductType:unsignedByte
    @NewProductType:int @SystemMetrics:int @ClientVersion:string
ChangedComputer = @ComputerId:string @Change:ComputerChangeType
ComputerChangeType = | Deleted NewParent
ComputerLastRollupNumber = ComputerId:string RollupNumber:int
ComputerStatusRollupInfo = InstanceId:guid ComputerId:string EffectiveLastDetectionTime:dateTime
    RollupNumber:int IsFullRollup:boolean UpdateStatus:[ComputerStatusRollupUpdateStatus]
ComputerStatusRollupUpdateStatus = UpdateId:guid SummarizationState:int LastChangeTime:dateTime
Config = LastChange:dateTime IsRegistrationRequired:boolean AuthInfo:[AuthPlugInInfo]
    AllowedEventIds:[int] Properties:[ConfigurationProperty]
ConfigurationProperty = Name:string Value:string
ClientConfiguration = ProcessorArchitecture:Architecture AlwaysOnAlwaysConnected:boolean
    ClientVersion:OSVersion OSVersion:OSVersion ProtocolVersion:string
Architecture = | Unknown X86Compatible IA64Compatible Amd64Compatible ArmCompatible
    LpiaCompatible
OSVersion = MajorVersion:int MinorVersion:int BuildNumber:int ServicePackMajorNumber:short
    ServicePackMinorNumber:short
ComputerInfo = DnsName:string OSMajorVersion:int OSMinorVersion:int OSBuildNumber:int
    OSServicePackMajorNumber:short OSServicePackMinorNumber:short OSLocale:string
    ComputerManufacturer:string ComputerModel:string BiosVersion:string BiosName:string
    BiosReleaseDate:dateTime ProcessorArchitecture:string SuiteMask:short
    OldProductType:unsignedByte NewProductType:int SystemMetrics:int
    ClientVersionMajorNumber:short ClientVersionMinorNumber:short ClientVersionBuildNumber:short
    ClientVersionQfeNumber:short OSDescription:string OEM:string DeviceType:string
    FirmwareVersion:string MobileOperator:string
CategoryRelationship = IndexOfAndGroup:int CategoryId:guid
SyncUpdateParameters = ExpressQuery:boolean InstalledNonLeafUpdateIDs:[int]
    OtherCachedUpdateIDs:[int] SystemSpec:[Device] CachedDriverIDs:[int]
    SkipSoftwareSync:boolean FilterCategoryIds:[CategoryIdentifier]
    NeedTwoGroupOutOfScopeUpdates:boolean FilterAppCategoryIds:[CategoryIdentifier]
    TreatAppCategoryIdsAsInstalled:boolean AlsoPerformRegularSync:boolean
    ComputerSpec:ComputerHardwareSpecification FeatureScoreMatchingKey:string
    ExtendedUpdateInfoParameters:ExtendedUpdateInfoParameters
    ExtendedUserInfoParameters:ExtendedUserInfoParameters ClientPreferredLanguages:[string]
    WuBundleId:guid ProductsParameters:SyncProductsParameters PendingUpdateIDs:[int]
    OtherCachedUpdateDeploymentIDs:[UpdateDeploymentIdentifier]
    CachedDriverUpdateDeploymentIDs:[UpdateDeploymentIdentifier]
Device = HardwareIDs:[string] CompatibleIDs:[string] installedDriver:InstalledDriver
    extensionDrivers:[ExtensionDriver] DriverRecoveryIDs:[string] DeviceFlags:unsignedByte
InstalledDriver = MatchingID:string DriverVerDate:dateTime DriverVerVersion:long Class:string
    Manufacturer:string Provider:string Model:string MatchingComputerHWID:guid DriverRank:int
    SkipProviderFiltering:boolean IsGeneric:boolean
ExtensionDriver = ExtensionId:string DriverVerDate:dateTime DriverVerVersion:long Class:string
    DriverRank:int MatchingComputerHWID:guid
CategoryIdentifier = Id:guid
ComputerHardwareSpecification = HardwareIDs:[guid]
ExtendedUpdateInfoParameters = XmlUpdateFragmentTypes:[XmlUpdateFragmentType] Locales:[string]
    GeoId:string
XmlUpdateFragmentType = | Published Core Extended VerificationRule LocalizedProperties Eula
    FileUrl FileDecryption SamplingRate PiecesHashUrl BlockMapUrl EsrpDecryptionInformation
ExtendedUserInfoParameters = Version:string ExtendedUserInfo:[string]
SyncProductsParameters = SyncCurrentVersionOnly:boolean DeviceAttributes:string
    CallerAttributes:string Products:string
UpdateDeploymentIdentifier = UpdateId:int DeploymentId:int
SyncInfo = NewUpdates:[UpdateInfo] OutOfScopeRevisionIDs:[int] ChangedUpdates:[UpdateInfo]
    Truncated:boolean NewCookie:Cookie DeployedOutOfScopeRevisionIds:[int]
    DriverSyncNotNeeded:string ExtendedUpdateInfo:ExtendedUpdateInfo CountryCode:string
UpdateInfo = ID:int Deployment:Deployment IsLeaf:boolean IsShared:boolean Xml:string
    Verification:Verification
Deployment = ID:int Action:DeploymentAction Deadline:string IsAssigned:boolean
    LastChangeTime:string DownloadPriority:string HardwareIds:[string]
    DriverMetadata:DriverMetadata AdditionalDriverMetadata:[DeploymentDriverMetadata]
    AutoSelect:string AutoDownload:string SupersedenceBehavior:string FlagBitmask:string
    Priority:string HandlerSpecificAction:string TargetGroupId:guid TargetingVersion:string
    FlightId:string ClientBehaviors:[ClientMetadata] CacheLifetimeMinutes:unsignedShort
    FlightMetadata:string
DeploymentAction = | OptionalInstall Install Uninstall PreDeploymentCheck Block Evaluate Bundle
DriverMetadata = Model:string Manufacturer:string
DeploymentDriverMetadata = HardwareIds:[string] Model:string Manufacturer:string
ClientMetadata = MetadataType:MetadataType Metadata:string Verification:Verification
MetadataType = | Audience Update Admin
Verification = @Timestamp:dateTime @LeafCertificateId:unsignedInt @Signature:base64Binary
    @Algorithm:string
ExtendedUpdateInfo = Updates:[Update=UpdateData] FileLocations:[FileLocation]
    OutOfScopeRevisionIDs:[int]
UpdateData = ID:int Xml:string Verification:Verification
FileLocation = FileDigest:base64Binary Url:string PiecesHashUrl:string BlockMapUrl:string
    EsrpDecryptionInformation:string
RefreshCacheResult = RevisionID:int GlobalID:UpdateIdentity IsLeaf:boolean IsShared:boolean
    Deployment:Deployment
ExtendedUpdateInfo2 = Updates:[Update=UpdateData] FileLocations:[FileLocation]
    UpdateReportingSamplingRates:[UpdateReportingSampleRate] FileDecryptionData:[FileDecryption]
    FileDecryptionData2:[FileDecryption2]
UpdateReportingSampleRate = UpdateId:guid SamplingRateForInstall:int SamplingRateForDownload:int
FileDecryption = FileDigest:base64Binary SecurityData:[base64Binary]
FileDecryption2 = FileDigest:base64Binary DecryptionKey:base64Binary SecurityData:[base64Binary]
GetFileLocationsResults = FileLocations:[FileLocation] NewCookie:Cookie
"""

# members whose value is not any value of their type
SPECIAL = {"NamespaceID": "1", "EventID": "167", "MiscData/string": "F=0x80240022",
           "ServiceUrl": "SimpleAuthWebService/SimpleAuth.asmx",
           # what clients are told of an update is read, so it has to be something
           "Xml": "<LocalizedProperties><Language>en</Language><Title>a &amp; é</Title>"
                  "</LocalizedProperties>"}
ONE_ITEM = {"authCookies"}


def _lines(table: str) -> list[str]:
    return re.sub(r"\n +", " ", table.strip()).splitlines()


TYPE = {name.strip(): members.strip() for name, _, members in
        (line.partition("=") for line in _lines(TYPES))}


@dataclass(frozen=True)
class Operation:
    service: str
    name: str
    asks: str
    answers: str

    @property
    def path(self) -> str:
        return SERVICES[self.service]

    @property
    def action(self) -> str:
        return soap.action(self.path, self.name)

    def _envelope(self, name: str, members: str) -> bytes:
        write = soap.client_request if self.path == soap.CLIENT else soap.request
        return write(name, soap.NAMESPACES[self.path], members)

    def request(self, members: str = "", more: str = "") -> bytes:
        """With every member of the contract, or with these; more is put behind them."""
        return self._envelope(self.name, (members or Sample().members(self.asks)) + more)

    def response(self, members: str = "") -> bytes:
        return self._envelope(f"{self.name}Response", members or Sample().members(self.answers))


class Sample:
    """Writes values, each another one, in the spelling that the gate passes on."""

    def __init__(self) -> None:
        self.count = 0

    def simple(self, name: str, kind: str) -> str:
        self.count += 1
        n = self.count
        if name == "RevisionNumber":
            return str(n)
        return SPECIAL.get(name) or {
            "string": f"text {n} & <é>", "boolean": "true" if n % 2 else "false",
            "guid": f"{n:08x}-0000-4000-8000-00000000000a", "short": str(-n), "int": str(n - 40),
            "dateTime": f"2026-01-02T03:04:{n % 60:02}.067Z", "long": str(n << 40),
            "unsignedByte": str(n % 256), "unsignedShort": str(n), "unsignedInt": str(n),
            "base64Binary": base64.b64encode(n.to_bytes(20, "big")).decode()}[kind]

    def content(self, name: str, kind: str) -> tuple[str, str]:
        """Attributes and content of the element name."""
        if kind not in TYPE:
            return "", escape(self.simple(name, kind))
        members = TYPE[kind]
        if members.startswith("|"):
            words = members[1:].split()
            self.count += 1
            return "", words[self.count % len(words)]
        attributes = "".join(f" {n[1:]}={quoteattr(self.content(n, k)[1])}"
                             for n, k in _pairs(members) if n.startswith("@"))
        return attributes, self.members(members)

    def element(self, name: str, kind: str, place: str) -> str:
        attributes, content = self.content(place, kind)
        return f"<{name}{attributes}>{content}</{name}>"

    def members(self, members: str) -> str:
        return "".join(self._member(n, k) for n, k in _pairs(members) if not n.startswith("@"))

    def _member(self, name: str, kind: str) -> str:
        if not kind.startswith("["):
            return self.element(name, kind, name)
        item, _, other = kind.strip("[]").partition("=")
        items = "".join(self.element(item, other or item, f"{name}/{item}")
                        for _ in range(1 if name in ONE_ITEM else 2))
        return f"<{name}>{items}</{name}>"


def _pairs(members: str) -> list[tuple[str, str]]:
    return [tuple(m.split(":")) for m in members.split()]


def _operation(line: str) -> Operation:
    match = re.fullmatch(r"(\S+) (\S+) \((.*)\) -> \((.*)\)", line)
    if match is None:
        raise ValueError(line)
    return Operation(*match.groups())


ALL = {(o.service, o.name): o for o in map(_operation, _lines(OPERATIONS))}
