/* A disk that fails, for tests: preloaded into the program, it stands before the system's calls.

   FAULT_UNDER   the folder below which calls are looked at; without it all go through
   FAULT_MATCH   only paths that hold this
   FAULT_CALL    which calls, a list of: open (to write) read (open to read) mkdir write rename fsync syncdir (fsync of a
                 folder) flock
   FAULT_ERRNO   what they fail with, a number; 0 or none: they do not fail
   FAULT_AFTER   so many of them go through first
   FAULT_TIMES   so many of them fail, then all go through again; without it all fail
   FAULT_DELAY   milliseconds that each of them takes longer
   FAULT_HOLD    a path: the first of them says `PATH.reached`, and waits until the file PATH is there
   FAULT_LOG     a file that gets a line for each call that was made to fail, to wait or to take longer
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_long looked_at, failed;
static atomic_int held;
static __thread int inside; /* our own calls go through */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long number(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, (ms % 1000) * 1000000};
    while (nanosleep(&time, &time) == -1 && errno == EINTR) {
    }
}

/* Whether a list of words holds one. */
static int holds(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; at && (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ')) return 1;
    return 0;
}

static void log_line(const char *call, const char *path, const char *what) {
    const char *log = getenv("FAULT_LOG");
    if (!log) return;
    char line[2 * PATH_MAX];
    int length = snprintf(line, sizeof line, "%s %s %s\n", call, what, path);
    int file = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (file >= 0) {
        if (REAL(write)(file, line, length) < 0) abort();
        close(file);
    }
}

/* What a call on a path fails with; 0 where it goes through. */
static int fault(const char *call, const char *path) {
    const char *under = getenv("FAULT_UNDER"), *match = getenv("FAULT_MATCH");
    if (inside || !under || !holds(getenv("FAULT_CALL"), call)) return 0;
    char whole[PATH_MAX * 2];
    if (path[0] == '/')
        snprintf(whole, sizeof whole, "%s", path);
    else {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(whole, sizeof whole, "%s/%s", here, path);
    }
    if (strncmp(whole, under, strlen(under)) != 0 || (match && !strstr(whole, match))) return 0;
    if (atomic_fetch_add(&looked_at, 1) < number("FAULT_AFTER", 0)) return 0;

    inside = 1;
    int error = (int)number("FAULT_ERRNO", 0);
    const char *hold = getenv("FAULT_HOLD");
    if (hold && !atomic_exchange(&held, 1)) {
        char reached[PATH_MAX];
        snprintf(reached, sizeof reached, "%s.reached", hold);
        log_line(call, whole, "waits");
        /* a line each, for several processes may wait for one file */
        int file = REAL(open)(reached, O_WRONLY | O_CREAT | O_APPEND, 0666);
        if (file < 0 || REAL(write)(file, "reached\n", 8) != 8) abort();
        close(file);
        for (int waited = 0; access(hold, F_OK) != 0; waited++) {
            if (waited > 12000) abort(); /* two minutes: the test is gone */
            wait_ms(10);
        }
    }
    if (number("FAULT_DELAY", 0) > 0) {
        log_line(call, whole, "waits");
        wait_ms(number("FAULT_DELAY", 0));
    }
    if (error && atomic_fetch_add(&failed, 1) >= number("FAULT_TIMES", LONG_MAX)) error = 0;
    if (error) log_line(call, whole, "fails");
    inside = 0;
    return error;
}

static int fault_of_file(const char *call, int file) {
    char link[64], path[PATH_MAX];
    if (file <= 2 || inside || !getenv("FAULT_UNDER")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return fault(call, path);
}

#define FAIL_WITH(error)                                                                                               \
    do {                                                                                                               \
        int number_ = (error);                                                                                         \
        if (number_) {                                                                                                 \
            errno = number_;                                                                                           \
            return -1;                                                                                                 \
        }                                                                                                              \
    } while (0)

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
        FAIL_WITH(fault((flags & O_ACCMODE) == O_RDONLY ? "read" : "open", path));                                     \
        return REAL(name)(path, flags, mode);                                                                          \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int file, const void *bytes, size_t length) {
    int error = fault_of_file("write", file);
    /* a disk that is full has taken some of it; a call that was interrupted has not begun */
    if (error && (error == EINTR || REAL(write)(file, bytes, length / 2) >= 0)) FAIL_WITH(error);
    return REAL(write)(file, bytes, length);
}

int fsync(int file) {
    struct stat what;
    FAIL_WITH(fault_of_file(fstat(file, &what) == 0 && S_ISDIR(what.st_mode) ? "syncdir" : "fsync", file));
    return REAL(fsync)(file);
}

int flock(int file, int operation) {
    FAIL_WITH(fault_of_file("flock", file));
    return REAL(flock)(file, operation);
}

int rename(const char *from, const char *to) {
    FAIL_WITH(fault("rename", to));
    return REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode) {
    FAIL_WITH(fault("mkdir", path));
    return REAL(mkdir)(path, mode);
}
