#include "core/report/report.h"

static const struct {
    const char *word, *argument;
    enum sp_err (*make)(const struct sp_report_ask *, struct sp_sheet *);
} reports[] = {
#define REPORT(name, function, word, argument) {word, argument, sp_report_##function},
#include "core/report/reports.def"
#undef REPORT
};

const char *sp_report_word(enum sp_report r)
{
    SP_ASSERT(r < SP_REPORT_COUNT);
    return reports[r].word;
}

bool sp_report_wants_argument(enum sp_report r)
{
    SP_ASSERT(r < SP_REPORT_COUNT);
    return reports[r].argument[0] != 0;
}

enum sp_err sp_report_make(enum sp_report r, const struct sp_report_ask *ask,
                           struct sp_sheet *sheet)
{
    SP_ASSERT(r < SP_REPORT_COUNT);
    sheet->entries = ask->book->entries;
    return reports[r].make(ask, sheet);
}
