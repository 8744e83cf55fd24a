/* Every ceiling in one page, with its reason. Each is tested one below and one above.
 * Sizes in bytes, times in milliseconds, unless the name says otherwise. */
#ifndef SP_CORE_BASE_LIMITS_H
#define SP_CORE_BASE_LIMITS_H

#define SP_KIB(n) ((size_t)(n) * 1024)
#define SP_MIB(n) ((size_t)(n) * 1024 * 1024)

/* HTTP request head. Real agents stay under 1 KiB; IIS itself takes 16 KiB. */
#define SP_LIMIT_REQUEST_LINE  SP_KIB(2)
#define SP_LIMIT_HEAD          SP_KIB(16)
#define SP_LIMIT_HEADERS       48
#define SP_LIMIT_HEADER_VALUE  SP_KIB(4)
#define SP_LIMIT_CHUNK_LINE    32 /* "FFFFFFFFFFFFFFFF\r\n" and room to say no */

/* SOAP bodies. Client requests were seen up to 51 KiB, ASP.NET's own default is 4 MiB. */
#define SP_LIMIT_SOAP_REQUEST_CLIENT SP_MIB(1)
#define SP_LIMIT_SOAP_REQUEST_SERVER SP_MIB(8)
/* One reply, decoded. GetRevisionIdList was seen at 3 MB, a full catalogue is over 20 MB,
 * one update with an embedded CBS manifest 47 MB. */
#define SP_LIMIT_SOAP_REPLY SP_MIB(64)
/* Edits of one reply: an address a file of the largest update seen and some more. */
#define SP_LIMIT_SPLICES 65536
#define SP_LIMIT_SPLICED SP_MIB(16) /* bytes put in */
/* One metadata document as UTF-8. 47 MB was seen. */
#define SP_LIMIT_DOCUMENT SP_MIB(64)
/* Compressed input may not blow up: ratio counts after the first MiB of output. */
#define SP_LIMIT_RATIO       200
#define SP_LIMIT_RATIO_AFTER SP_MIB(1)

/* XML. Depth 10 was seen, rules nest And/Or/Not. */
#define SP_LIMIT_XML_DEPTH        64
#define SP_LIMIT_XML_ATTRIBUTES   64
#define SP_LIMIT_XML_NAME         256
#define SP_LIMIT_XML_NODES_REQUEST 200000
#define SP_LIMIT_XML_NODES_REPLY  4000000
#define SP_LIMIT_XML_TEXT_REQUEST SP_KIB(64)
/* The offline catalogue: some 136,000 updates with 100 elements and attributes each, all
 * of them small. */
#define SP_LIMIT_XML_NODES_STREAM 200000000
#define SP_LIMIT_XML_TOKEN        SP_MIB(1)

/* [MS-WUSP] and [MS-WSUSSS] items. */
#define SP_LIMIT_COOKIE          SP_KIB(8) /* decoded; real ones have about 0.5 KiB */
/* Cookies outlive no key that sealed them: a new key a day, a cookie a week at most. */
#define SP_LIMIT_COOKIE_AGE_S 604800
#define SP_TIME_SEAL_KEY_S    86400
#define SP_LIMIT_SEAL_KEYS    16
#define SP_LIMIT_UPDATE_IDS      1000      /* servers announce 100 */
#define SP_LIMIT_DOWNLOAD_FILES  100       /* [MS-WSUSSS] 3.1.4.11 */
#define SP_LIMIT_LOCATIONS       65000 /* FileLocation of a reply: fewer than splices */
#define SP_LIMIT_TOLD             8192  /* of them, texts: a page has some hundred */
#define SP_LIMIT_FRAGMENTS       65000 /* of a reply to a client */
#define SP_LIMIT_DIFFERING       256   /* of these; a page with more is refused whole */
#define SP_LIMIT_FILES_PER_UPDATE 4096     /* 2,114 cabinets were seen in one update */

/* Revision numbers. Published ones begin at 100 or 200 and grow by one; some reach
 * thousands over years. */
#define SP_LIMIT_REVISION_JUMP  100
#define SP_LIMIT_REVISION_FIRST 65535

/* Updates that the revisions of one reply refer to and that are looked up; what is over
 * it is taken for unknown. A hundred revisions refer to some hundred others. */
#define SP_LIMIT_RELATIONS 16384

/* Xpress, [MS-WUSP] 2.1.1. */
#define SP_LIMIT_XPRESS_BLOCK 65535

/* Content. The largest single file seen has 4.6 GB, an update 14.8 GB. */
#define SP_LIMIT_CONTENT_FILE ((uint64_t)16 << 30)

/* A transfer that breaks is taken up again: so often in a row without this much more of
 * the file, after a wait that begins here and doubles. */
#define SP_LIMIT_FILL_TRIES    4
#define SP_LIMIT_FILL_PROGRESS SP_KIB(256)
#define SP_TIME_FILL_BACK_OFF  200
/* Who waits for bytes this far ahead of the transfer that brings them gets one of his
 * own; and so much at most does a transfer bring once somebody has. */
#define SP_LIMIT_FILL_STRIDE SP_MIB(4)
#define SP_LIMIT_FILL_SIDE   SP_MIB(1) /* at least so much, unless the gap is smaller */
#define SP_LIMIT_FILL_SIDES  4         /* a fill */
#define SP_LIMIT_SIDES       8         /* all fills; half of an upstream's connections */
#define SP_TIME_FILL_SIDE    30000     /* a side transfer that is silent so long has broken */
/* Parts of a file that do not touch; 16 GiB in parts of a MiB are as many. */
#define SP_LIMIT_EXTENTS 16384
/* Files from this size on can be gone on with after a restart, for so many seconds; what
 * they have is noted once so much more of it was digested, and no sooner than so many
 * milliseconds after the last time. */
#define SP_LIMIT_FILL_KEPT SP_MIB(8)
#define SP_LIMIT_FILL_NOTE SP_MIB(1)
#define SP_TIME_FILL_NOTE  250
#define SP_LIMIT_STAGE_AGE (3 * 86400)
/* Files from this size on are answered once they are proven, smaller ones once the store
 * has them durably: what was answered then never comes twice. */
#define SP_LIMIT_FILL_EARLY SP_MIB(8)
/* Files from this size on are digested in the work pool, beside the transfer. */
#define SP_LIMIT_FILL_BESIDE SP_MIB(8)
/* The map of blocks far ahead: a line has 90 bytes at most, a file 16384 blocks. */
#define SP_LIMIT_STAGE_MAP SP_MIB(2)
/* What is fetched ahead stands still behind who asks, and looks so often whether it may
 * go on; and it may be so much ahead of its rate. */
#define SP_TIME_AHEAD_HOLD 100
/* Digests of the files in one of the 256 folders of the store: two million of them. */
#define SP_LIMIT_STORE_FOLDER SP_MIB(64)
/* What an upstream does not have is asked for again after so long (R29). */
#define SP_TIME_FILL_ABSENT 10000

/* Ledger. tlog-tiles: an entry has a 16 bit length. */
#define SP_LIMIT_LEDGER_ENTRY 65535
/* A signed checkpoint has some 200 bytes; a hundred witnesses sign in under 16 KiB. */
#define SP_LIMIT_CHECKPOINT SP_KIB(16)
#define SP_LIMIT_NOTE_NAME  255

/* What reports hold of a ledger in memory, and once more of rows: some 300 bytes a revision,
 * of which the largest catalogues have a million. */
#define SP_LIMIT_REPORT SP_MIB(1024)

/* Advisories. A CVRF file of a month has 10 MiB; JSON is held whole, so it may have less: a
 * CVE has 1 MiB of it. */
#define SP_LIMIT_CVRF         SP_MIB(64)
#define SP_LIMIT_CSAF         SP_MIB(16)
#define SP_LIMIT_IMPORTED     SP_MIB(32) /* what is kept of all of them */
#define SP_LIMIT_ADVISORIES   100000
#define SP_LIMIT_KNOWN_ISSUES 10000

/* A policy with a comment on every rule stays under 8 KiB. */
#define SP_LIMIT_POLICY      SP_KIB(64)
#define SP_LIMIT_POLICY_NAME 64
#define SP_LIMIT_PUBLISHERS  64
#define SP_LIMIT_PEER_LINES  256
#define SP_LIMIT_PLACE_LINES 64

/* Certificates. */
#define SP_LIMIT_CHAIN_DEPTH 8
#define SP_LIMIT_CHAIN_BYTES SP_KIB(64)
#define SP_LIMIT_PINS        16

/* Signatures of files. The table of a large PE with page hashes has some MiB, a catalogue
 * of Windows as many; two signatures a file are normal. */
#define SP_LIMIT_SIGNATURE       SP_MIB(16)
#define SP_LIMIT_VERSION         SP_KIB(64) /* its own length has 16 bits */
#define SP_LIMIT_SIGNATURES      16
#define SP_LIMIT_SIGNATURE_CERTS 64
/* Keys that are tried to find out who issued the certificates of one signature; each
 * certificate has one issuer, or a few of one name. */
#define SP_LIMIT_ISSUER_TRIES    256
/* Compound files. 16 MiB of allocation table reach over 2 GiB in small sectors, 16 GiB
 * in large ones; the largest packages of patches have some thousand entries. */
#define SP_LIMIT_OLE_TABLE       SP_MIB(16)
#define SP_LIMIT_OLE_ENTRIES     32768
#define SP_LIMIT_TRUST_PINS      128
#define SP_LIMIT_TRUST_CERTS     512
#define SP_LIMIT_TRUST_CRLS      64
#define SP_LIMIT_TRUST_FILE      SP_MIB(8) /* lists of large authorities have 1 MiB */

/* The offline catalogue, and one of its members. Its fragments are kept in memory one at a
 * time; real ones have some KiB. */
#define SP_LIMIT_CATALOG          ((uint64_t)4 << 30)
#define SP_LIMIT_CATALOG_FRAGMENT SP_MIB(8)
#define SP_LIMIT_CATALOG_CABINETS 4096
#define SP_LIMIT_CATALOG_TEXT     SP_KIB(4) /* a title, an address */

/* Connections and time. */
#define SP_LIMIT_CONNECTIONS        10000 /* a listener and loop */
#define SP_LIMIT_CONNECTIONS_PER_IP 64 /* to the admin listener; others: peer_connections */
#define SP_LIMIT_HANDSHAKES         256
#define SP_LIMIT_TLS_SESSIONS       2048 /* kept to be resumed, an identity */
#define SP_LIMIT_KEEPALIVE_REQUESTS 1000
#define SP_TIME_HANDSHAKE           10000
#define SP_TIME_HEAD                10000
#define SP_TIME_IDLE                60000 /* Delivery Optimization idles up to 31 s */
#define SP_TIME_WRITE_STALL         30000
#define SP_TIME_BODY_GRACE          10000
#define SP_LIMIT_BODY_RATE_MIN      1024 /* bytes a second once the grace is over */
#define SP_TIME_LINGER              2000
#define SP_LIMIT_UPSTREAM_CONNECTIONS 16 /* a host and loop */
#define SP_TIME_UPSTREAM_CONNECT    15000
/* Minutes of server time are normal; Microsoft's own advice for large catalogues is an
 * hour (executionTimeout 3600). */
#define SP_TIME_UPSTREAM_SOAP  300000
#define SP_TIME_UPSTREAM_LIST 3600000

#define SP_LIMIT_LOG_LINE SP_KIB(8)

#endif
