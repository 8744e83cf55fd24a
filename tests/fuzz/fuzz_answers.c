/* A file of a witness's answers, of any bytes behind its first line: what is read of it
 * is whole rows, and reads the same the next time. */
#include "app/watch/answers.h"
#include "io/store/files.h"

#include "unit/temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[TEMPORARY_PATH];

static void remove_folder(void)
{
    char path[TEMPORARY_PATH + 32];
    snprintf(path, sizeof path, "%s/witnesses/w", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/witnesses", folder);
    rmdir(path);
    rmdir(folder);
}

static void make_folder(void)
{
    SP_ASSERT(mkdtemp(temporary_path(folder)) && atexit(remove_folder) == 0);
}

static size_t open_once(void)
{
    struct sp_answers a;
    struct sp_why why = {0};
    SP_ASSERT(sp_answers_open(folder, "w", "", "w", &a, &why) == SP_OK);
    SP_ASSERT(a.fd >= 0 && !why.text[0]);
    size_t count = a.book.count;
    SP_ASSERT(a.size >= count * SP_ANSWERS_ROW);
    sp_answers_close(&a);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    if (!folder[0]) {
        make_folder();
    }
    sp_buf_init(&text, SP_MIB(16));
    SP_ASSERT(sp_dir_open(folder, &dir, NULL) == SP_OK);
    SP_ASSERT(sp_buf_append_str(&text, "sallyport answers 1 w\n") == SP_OK);
    if (sp_buf_append(&text, sp_view(data, size)) != SP_OK) {
        return 0;
    }
    SP_ASSERT(sp_file_replace_at(dir, "witnesses/w", sp_buf_view(&text), 0600,
                                 SP_FILE_VIEW) == SP_OK);
    size_t count = open_once();
    SP_ASSERT(count <= size / SP_ANSWERS_ROW && open_once() == count);
    return 0;
}
