#include "core/catalog/catalog.h"

const char *sp_witness_text(enum sp_witness w)
{
    switch (w) {
    case SP_WITNESS_ABSENT:
        return "absent";
    case SP_WITNESS_APPEARS:
        return "appears";
    case SP_WITNESS_CONTRADICTS:
        return "contradicts";
    }
    return "";
}
