#include "app/log/log_sink.h"

#include "app/log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_S = 2 };

/* Entries stand in the ring as their length and their bytes. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool runs, ends, writing;
    char ring[SP_LOG_QUEUE];
    size_t from, used;
    uint64_t dropped, told;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static atomic_int journal = -1; /* a socket; never closed: a line may be on its way */
static atomic_bool to_journal;

static void write_all(const char *line, size_t n)
{
    if (atomic_load(&to_journal)) {
        (void)!send(atomic_load(&journal), line, n, MSG_NOSIGNAL);
        return;
    }
    while (n) {
        ssize_t done = write(STDERR_FILENO, line, n);
        if (done < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (done < 0 && errno != EINTR) {
            return; /* a log that cannot be written has nobody to be told */
        } else if (done > 0) {
            line += done;
            n -= (size_t)done;
        }
    }
}

bool sp_log_sink_to_journal(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    bool on = path && strlen(path) < sizeof at.sun_path;
    memcpy(at.sun_path, on ? path : "", on ? strlen(path) : 0);
    if (on && atomic_load(&journal) < 0) {
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
            close(fd);
            fd = -1;
        }
        atomic_store(&journal, fd);
    }
    on = on && atomic_load(&journal) >= 0;
    atomic_store(&to_journal, on);
    return on || !path;
}

/* ---- the ring, under the lock --------------------------------------------------- */

static void ring_put(const void *bytes, size_t n)
{
    size_t at = (sink.from + sink.used) % SP_LOG_QUEUE;
    size_t first = n < SP_LOG_QUEUE - at ? n : SP_LOG_QUEUE - at;
    memcpy(sink.ring + at, bytes, first);
    memcpy(sink.ring, (const char *)bytes + first, n - first);
    sink.used += n;
}

static void ring_take(void *bytes, size_t n)
{
    size_t first = n < SP_LOG_QUEUE - sink.from ? n : SP_LOG_QUEUE - sink.from;
    memcpy(bytes, sink.ring + sink.from, first);
    memcpy((char *)bytes + first, sink.ring, n - first);
    sink.from = (sink.from + n) % SP_LOG_QUEUE;
    sink.used -= n;
}

static bool is_room_for(size_t n)
{
    return n + sizeof(uint32_t) <= SP_LOG_QUEUE - sink.used;
}

/* ---- the thread ----------------------------------------------------------------- */

/* Enough for whatever log.c makes of a line. */
enum { LONGEST = 2 * SP_LIMIT_LOG_LINE };

static void mention_dropped(uint64_t dropped)
{
    sp_log_say(SP_LOG_WARNING, "log_dropped",
               "%" PRIu64 " lines had no room: whoever reads the log is too slow",
               dropped);
}

static void *work(void *unused)
{
    static char line[LONGEST];
    (void)unused;
    pthread_mutex_lock(&sink.lock);
    while (!sink.ends || sink.used) {
        uint32_t n;
        if (!sink.used) {
            pthread_cond_wait(&sink.changed, &sink.lock);
            continue;
        }
        ring_take(&n, sizeof n);
        ring_take(line, n);
        uint64_t lost = sink.used == 0 ? sink.dropped - sink.told : 0;
        sink.told += lost;
        sink.writing = true;
        pthread_mutex_unlock(&sink.lock);
        write_all(line, n);
        if (lost) {
            mention_dropped(lost);
        }
        pthread_mutex_lock(&sink.lock);
        sink.writing = false;
        pthread_cond_broadcast(&sink.changed);
    }
    pthread_mutex_unlock(&sink.lock);
    return NULL;
}

enum sp_err sp_log_sink_start(void)
{
    sink.ends = false;
    sink.runs = pthread_create(&sink.thread, NULL, work, NULL) == 0;
    return sink.runs ? SP_OK : SP_E_NOMEM;
}

void sp_log_sink_put(const char *line, size_t n)
{
    uint32_t len = (uint32_t)n;
    pthread_mutex_lock(&sink.lock);
    bool queued = sink.runs && !sink.ends && n <= LONGEST;
    if (queued && is_room_for(n)) {
        ring_put(&len, sizeof len);
        ring_put(line, n);
        pthread_cond_broadcast(&sink.changed);
    } else if (queued) {
        sink.dropped++;
    }
    pthread_mutex_unlock(&sink.lock);
    if (!queued) {
        write_all(line, n);
    }
}

uint64_t sp_log_sink_dropped(void)
{
    pthread_mutex_lock(&sink.lock);
    uint64_t n = sink.dropped;
    pthread_mutex_unlock(&sink.lock);
    return n;
}

void sp_log_sink_stop(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FLUSH_S;
    pthread_mutex_lock(&sink.lock);
    if (!sink.runs) {
        pthread_mutex_unlock(&sink.lock);
        return;
    }
    sink.ends = true;
    pthread_cond_broadcast(&sink.changed);
    int late = 0;
    while (!late && (sink.used || sink.writing)) {
        late = pthread_cond_timedwait(&sink.changed, &sink.lock, &until);
    }
    bool is_done = !sink.used && !sink.writing;
    sink.runs = false;
    pthread_mutex_unlock(&sink.lock);
    if (is_done) {
        pthread_join(sink.thread, NULL);
    } else {
        pthread_detach(sink.thread); /* it hangs in a write; the process ends anyway */
    }
}
