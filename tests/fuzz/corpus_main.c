/* Runs a fuzz target over files, so that the corpus is a plain test too. Arguments are
 * files and folders (one level). Ends with failure where a folder holds nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    struct stat st;
    if (fstat(fileno(f), &st) != 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)st.st_size;
    /* exactly as large as the input, so that a sanitizer sees one byte too many */
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, f) != size) {
        fprintf(stderr, "%s: cannot read\n", path);
        exit(1);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static size_t run_folder(const char *path)
{
    size_t ran = 0;
    DIR *d = opendir(path);
    if (!d) {
        return run_file(path);
    }
    for (struct dirent *e; (e = readdir(d));) {
        char file[4096];
        if (e->d_name[0] != '.') {
            snprintf(file, sizeof file, "%s/%s", path, e->d_name);
            ran += run_file(file);
        }
    }
    closedir(d);
    return ran;
}

int main(int argc, char **argv)
{
    size_t ran = 0;
    for (int i = 1; i < argc; i++) {
        ran += run_folder(argv[i]);
    }
    printf("%zu inputs\n", ran);
    return ran ? 0 : 1;
}
