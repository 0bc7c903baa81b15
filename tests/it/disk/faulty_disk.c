/* A library that makes system calls fail, for tests. It is preloaded into the program and replaces the calls below.

   FAULT_UNDER   only files in this directory are affected; without it, no call is changed
   FAULT_MATCH   only paths that contain this text are affected
   FAULT_CALL    affected calls, a list of: open (to write) read (open to read) stat mkdir write rename fsync
                 syncdir (fsync of a directory) flock link (the name is created, but the call returns an error, as on
                 a network file system that loses an answer)
   FAULT_ERRNO   error number that the calls return; 0 or unset: they do not fail
   FAULT_AFTER   number of affected calls that succeed first
   FAULT_TIMES   number of calls that fail, after which all succeed; unset: all fail
   FAULT_EVERY   only one of this number of calls fails; unset: each of them
   FAULT_LATE    listings of directories lack files that are younger than this, in milliseconds, as on a network file
                 system that answers from its cache
   FAULT_DELAY   extra duration of each call, in milliseconds
   FAULT_HOLD    a path: the first affected call writes `PATH.reached` and waits until the file PATH exists
   FAULT_LOG     a file that gets one line for each call that fails or waits
*/
#define _GNU_SOURCE
#include <dirent.h>
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

static atomic_long affected, failed;
static atomic_int held;
static __thread int inside; /* calls of this library itself are not changed */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long number(const char *name, long default_value) {
    const char *text = getenv(name);
    return text ? atol(text) : default_value;
}

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, (ms % 1000) * 1000000};
    while (nanosleep(&time, &time) == -1 && errno == EINTR) {
    }
}

/* Whether a list of words contains a word. */
static int contains(const char *list, const char *word) {
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

/* Error number for a call on a path; 0 if the call succeeds. */
static int fault(const char *call, const char *path) {
    const char *under = getenv("FAULT_UNDER"), *match = getenv("FAULT_MATCH");
    if (inside || !under || !contains(getenv("FAULT_CALL"), call)) return 0;
    char full_path[PATH_MAX * 2];
    if (path[0] == '/')
        snprintf(full_path, sizeof full_path, "%s", path);
    else {
        char directory[PATH_MAX];
        if (!getcwd(directory, sizeof directory)) return 0;
        snprintf(full_path, sizeof full_path, "%s/%s", directory, path);
    }
    if (strncmp(full_path, under, strlen(under)) != 0 || (match && !strstr(full_path, match))) return 0;
    long before = atomic_fetch_add(&affected, 1);
    if (before < number("FAULT_AFTER", 0) || before % number("FAULT_EVERY", 1) != 0) return 0;

    inside = 1;
    int error = (int)number("FAULT_ERRNO", 0);
    const char *hold = getenv("FAULT_HOLD");
    if (hold && !atomic_exchange(&held, 1)) {
        char reached[PATH_MAX];
        snprintf(reached, sizeof reached, "%s.reached", hold);
        log_line(call, full_path, "waits");
        /* one line per process, because several processes may wait for one file */
        int file = REAL(open)(reached, O_WRONLY | O_CREAT | O_APPEND, 0666);
        if (file < 0 || REAL(write)(file, "reached\n", 8) != 8) abort();
        close(file);
        for (int waited = 0; access(hold, F_OK) != 0; waited++) {
            if (waited > 30000) abort(); /* five minutes: the test has ended */
            wait_ms(10);
        }
    }
    if (number("FAULT_DELAY", 0) > 0) {
        log_line(call, full_path, "waits");
        wait_ms(number("FAULT_DELAY", 0));
    }
    if (error && atomic_fetch_add(&failed, 1) >= number("FAULT_TIMES", LONG_MAX)) error = 0;
    if (error) log_line(call, full_path, "fails");
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
    /* a full disk stores a part of the bytes; an interrupted call stores none */
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

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    int outcome = REAL(linkat)(from_directory, from, to_directory, to, flags);
    FAIL_WITH(fault("link", to));
    return outcome;
}

int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *found) {
    const char *given = path; /* a program may pass NULL, although the declaration forbids it */
    __asm__("" : "+r"(given));
    if (given && given[0]) FAIL_WITH(fault("stat", given));
    return REAL(statx)(directory, path, flags, mask, found);
}

/* Whether a directory is affected by FAULT_LATE, and has just got the file of this name. */
static int is_late(DIR *directory, const char *name) {
    char link[64], path[PATH_MAX];
    const char *under = getenv("FAULT_UNDER");
    long late = number("FAULT_LATE", 0);
    if (late == 0 || !under || inside || name[0] == '.') return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd(directory));
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (strncmp(path, under, strlen(under)) != 0) return 0;
    struct stat what;
    struct timespec now;
    if (fstatat(dirfd(directory), name, &what, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    long age = (now.tv_sec - what.st_ctim.tv_sec) * 1000 + (now.tv_nsec - what.st_ctim.tv_nsec) / 1000000;
    if (age >= late) return 0;
    inside = 1;
    strncat(path, "/", sizeof path - strlen(path) - 1);
    strncat(path, name, sizeof path - strlen(path) - 1);
    log_line("list", path, "hides");
    inside = 0;
    return 1;
}

#define READDIR(name, entry)                                                                                           \
    struct entry *name(DIR *directory) {                                                                               \
        struct entry *found;                                                                                           \
        do {                                                                                                           \
            found = REAL(name)(directory);                                                                             \
        } while (found && is_late(directory, found->d_name));                                                          \
        return found;                                                                                                  \
    }
READDIR(readdir, dirent)
READDIR(readdir64, dirent64)

int mkdir(const char *path, mode_t mode) {
    FAIL_WITH(fault("mkdir", path));
    return REAL(mkdir)(path, mode);
}
