/* What a server hands to clients of a document: fragments that are derived from it
 * mechanically, and a canonical form in which both sides can be compared.
 *
 * [MS-WUSP] 3.1.1.1. Core: UpdateIdentity, Properties (a few attributes), Relationships
 * and ApplicabilityRules. Extended: ExtendedProperties, Files, HandlerSpecificData.
 * LocalizedProperties: one a language.
 *
 * The canonical form is the row of elements with attributes in the order of their names
 * and texts, as a SHA-256. Without meaning there, since servers differ or drop them:
 * prefixes other than b. m. d., namespaces, the order of attributes, comments, blanks
 * between elements, the spelling of references, the case of UpdateID and EulaID.
 * Not compared, since no recorded fragment shows what becomes of it:
 * ApplicabilityRules/Metadata, PiecesHashDigest and BlockMapDigest of a File, Language,
 * CveID and SecuredFragment of Properties, EulaFile, and attributes of Properties that
 * are in no list of fragment.c. Elements of no known fragment are passed over.
 *
 * Pure; one pass over the text, memory for one text between two tags. */
#ifndef SP_CORE_WSUS_FRAGMENT_H
#define SP_CORE_WSUS_FRAGMENT_H

#include "core/wsus/wsus.h"

const char *sp_derived_text(enum sp_derived_kind k);  /* "core" */
enum sp_fact sp_derived_fact(enum sp_derived_kind k); /* FRAGMENT_CORE */

/* Adds FRAGMENT_CORE, FRAGMENT_EXTENDED and a FRAGMENT_LOCALIZED for each language of a
 * metadata document. sha256: of the document itself, which costs little beside theirs.
 * Errors: SP_E_MALFORMED, SP_E_UNSUPPORTED, SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_fragments_derive(struct sp_view utf8, struct sp_facts *f,
                                uint8_t sha256[32], struct sp_why *why) SP_MUST_USE;

/* What one text for clients holds. Errors as above. */
enum sp_err sp_derived_read(struct sp_view utf8, struct sp_derived_parts *out,
                            struct sp_why *why) SP_MUST_USE;

#endif
