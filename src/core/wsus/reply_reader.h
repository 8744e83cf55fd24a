/* Between the reader of replies and the inspector of update data. */
#ifndef SP_CORE_WSUS_REPLY_READER_H
#define SP_CORE_WSUS_REPLY_READER_H

#include "core/wsus/reading.h"

#include "core/xml/xml.h"

/* One ServerSyncUpdateData while it is read. */
struct sp_update_part {
    struct sp_view id_text, number_text; /* in the reply's arena */
    size_t blobs;                        /* of either kind */
    bool compressed;
    struct sp_buf blob; /* the one at hand: text, or base64 of a cabinet */
    bool is_read;       /* before it came: blob is empty, reading is it */
    struct sp_reading reading;
    struct sp_facts *digests; /* owned: UPDATE_FILE_DIGEST */
};

struct sp_document_wish {  /* a document whose text is wanted */
    const uint8_t *sha256; /* borrowed */
    struct sp_buf *utf8;   /* borrowed: where it goes, once */
};

struct sp_update_reader {
    struct sp_reply *reply;             /* borrowed */
    const struct sp_revision_id *asked; /* borrowed */
    size_t asked_count;
    size_t room; /* revisions that reply->revisions has memory for */
    struct sp_update_part part;
    const struct sp_document_wish *wanted; /* borrowed; NULL: none */
    const struct sp_foresight *foresight;  /* borrowed; NULL: none */
};

/* One FileLocation while it is read. */
struct sp_location_reader {
    struct sp_reply *reply; /* borrowed */
    size_t room;            /* locations that reply->locations has memory for */
    struct sp_location at;
    struct sp_content_path url;
    bool has_digest, has_url;
};
void sp_location_begin(struct sp_location_reader *l);
void sp_location_digest(struct sp_location_reader *l, struct sp_view text);
void sp_location_url(struct sp_location_reader *l, struct sp_view text,
                     struct sp_place place);
/* Adds it to the reply where its Url is that of a WSUS and of this very file. Errors:
 * SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_location_end(struct sp_location_reader *l,
                            struct sp_why *why) SP_MUST_USE;

/* UpdateInfo, Update or RefreshCacheResult while it is read. */
struct sp_fragment_reader {
    struct sp_reply *reply;            /* borrowed */
    struct sp_buf number, xml;         /* texts of ID and Xml */
    struct sp_buf update_id, revision; /* of GlobalID */
    struct sp_place place;             /* of the text of Xml */
    struct sp_place whole;             /* of the update */
    size_t told;                       /* texts so far */
};
void sp_fragment_reader_init(struct sp_fragment_reader *r);
void sp_fragment_reader_fini(struct sp_fragment_reader *r);
void sp_fragment_begin(struct sp_fragment_reader *r);
/* Frees those of the reply. */
void sp_fragments_drop(struct sp_reply *reply);
/* Adds it to the reply. Errors: SP_E_MALFORMED (no ID), SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_fragment_end(struct sp_fragment_reader *r,
                            struct sp_why *why) SP_MUST_USE;

void sp_update_reader_init(struct sp_update_reader *r);
void sp_update_reader_fini(struct sp_update_reader *r);
enum sp_err sp_update_begin(struct sp_update_reader *r) SP_MUST_USE;
/* XmlUpdateBlob or XmlUpdateBlobCompressed, whose text begins at an offset of the body;
 * and a piece of that text. */
void sp_update_blob(struct sp_update_reader *r, bool compressed, size_t text_at);
enum sp_err sp_update_blob_text(struct sp_update_reader *r,
                                struct sp_view text) SP_MUST_USE;
/* FileDigestList/base64Binary. */
enum sp_err sp_update_digest(struct sp_update_reader *r, struct sp_view text,
                             struct sp_why *why) SP_MUST_USE;
/* The update is whole: decodes its document and adds a revision to the reply. Errors:
 * SP_E_MALFORMED (it cannot be told which revision it is), SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_update_end(struct sp_update_reader *r, struct sp_place place,
                          struct sp_why *why) SP_MUST_USE;

#endif
