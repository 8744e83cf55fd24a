/* `sallyport doctor`: what is wrong with a WSUS tier, seen from outside, and with this
 * sallyport, seen from inside.
 *
 *     doctor.def         every finding, why it matters and how to mend it
 *     doctor_outside.c   asks a server: TLS, chain, what answers without TLS
 *     doctor_inside.c    looks at configuration, disk, limits and the running daemon
 *     cmd_doctor.c       options, and how it is said
 */
#ifndef SP_APP_CMD_DOCTOR_H
#define SP_APP_CMD_DOCTOR_H

#include "app/config/shown_chain.h"

enum sp_finding_code {
#define FINDING(name, code, severity, why, mend) SP_DOCTOR_##name,
#include "app/cmd/doctor.def"
#undef FINDING
    SP_DOCTOR_COUNT
};
enum sp_severity { SP_SEVERITY_BAD, SP_SEVERITY_WARN, SP_SEVERITY_NOTE };

enum { SP_DOCTOR_FINDINGS = 128 };
struct sp_doctor {
    struct {
        enum sp_finding_code code;
        char what[400];
    } found[SP_DOCTOR_FINDINGS];
    size_t count; /* what is more than there is room for is left out */
    size_t looked_at;
    int64_t now;
};

/* One finding, with what was seen. */
void sp_doctor_find(struct sp_doctor *d, enum sp_finding_code code, const char *what,
                    ...) SP_PRINTF(3, 4);
/* Dates of a certificate that somebody shows or is to show. */
void sp_doctor_dates(struct sp_doctor *d, const char *whose,
                     const struct sp_cert_facts *cert);

/* The server at that address: its TLS port, and the port below. ca: PEM, may be empty.
 */
void sp_doctor_outside(struct sp_doctor *d, const struct sp_address *at,
                       struct sp_view ca);
/* The sallyport of that configuration file. */
void sp_doctor_inside(struct sp_doctor *d, const char *config_file);
/* What was found, as `sallyport doctor --json` prints it; appended. */
enum sp_err sp_doctor_json(const struct sp_doctor *d, struct sp_buf *out) SP_MUST_USE;

#endif
