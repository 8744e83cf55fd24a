/* Installer databases, [MS-CFB]. They are told apart from everything else, so that none
 * passes for a format without signatures; their signatures are not read, and what is
 * not read is not proven: docs/decisions/0013. */
#include "core/sign/inside.h"

static const uint8_t mark[] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};

bool sp_msi_probe(struct sp_view head)
{
    return sp_view_starts(head, sp_view(mark, sizeof mark));
}

enum sp_err sp_msi_step(struct sp_sign *s)
{
    return sp_sign_broken(s, "signatures of installer databases are not read; what "
                             "proves such a file is its digest");
}
