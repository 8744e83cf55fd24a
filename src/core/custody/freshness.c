#include "core/custody/freshness.h"

#include "core/base/text.h"

enum { DAY = 86400, WEEK = 7, TUESDAY = 2, THURSDAY = 4 };

/* Days since the epoch, which was a Thursday; 0 is Sunday. */
static int weekday(int64_t days)
{
    return (int)(((days + THURSDAY) % WEEK + WEEK) % WEEK);
}

static int64_t day_of(int64_t seconds)
{
    return seconds / DAY - (seconds % DAY < 0);
}

static int64_t second_tuesday(int64_t year, unsigned month)
{
    int64_t first = sp_days_from_civil(year, month, 1);
    return first + (TUESDAY - weekday(first) + WEEK) % WEEK + WEEK;
}

int64_t sp_patch_tuesday(int64_t now)
{
    int64_t today = day_of(now), year;
    unsigned month, day;
    sp_civil_from_days(today, &year, &month, &day);
    int64_t found = second_tuesday(year, month);
    if (found > today) {
        found =
            month == 1 ? second_tuesday(year - 1, 12) : second_tuesday(year, month - 1);
    }
    return found * DAY;
}

void sp_freshness_at(int64_t newest, int64_t most, int64_t now,
                     struct sp_freshness *out)
{
    int64_t tuesday = sp_patch_tuesday(now - SP_FRESHNESS_GRACE_S);
    *out = (struct sp_freshness){.days = now > newest ? (now - newest) / DAY : 0,
                                 .has_missed = newest < tuesday,
                                 .missed = newest < tuesday ? tuesday : 0};
    out->is_old = most > 0 && out->days > most;
}
