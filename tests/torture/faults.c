/* What a disk does wrong, for one process: preloaded, it counts the calls that touch files below a folder and makes one
 * of them go wrong, or all from that one on.
 *
 * Armed by faults_arm(), or by FAULTS_ROOT, FAULTS_AT and FAULTS_WHAT in the environment. What can happen:
 *   an errno     the call fails with it
 *   -1, -2       the process is killed before the call, or behind it
 *   -3           half of what is written is, then the process is killed
 *   -4           the power fails: what was written and not fsynced is lost, and the process is killed
 * Calls that read are counted only with FAULTS_READS.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { BEFORE = -1, BEHIND = -2, TORN = -3, POWER = -4 };
enum { FILES = 1024, LEFT = 4096 };

static char root[PATH_MAX];
static long at, seen;
static int what, stays, reads;

/* What is not on the disk yet: open files by descriptor, closed ones in a list; `base` is the size that is safe. */
struct unsynced {
    int dirty;
    off_t base;
    char path[PATH_MAX];
};
static struct unsynced open_files[FILES], closed[LEFT];
static int closed_count;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void faults_arm(const char *folder, long call, int happens, int goes_on, int reads_too)
{
    snprintf(root, sizeof root, "%s", folder);
    at = call, what = happens, stays = goes_on, reads = reads_too, seen = 0, closed_count = 0;
    memset(open_files, 0, sizeof open_files);
}

long faults_seen(void) { return seen; }

__attribute__((constructor)) static void from_environment(void)
{
    const char *folder = getenv("FAULTS_ROOT"), *call = getenv("FAULTS_AT"), *happens = getenv("FAULTS_WHAT");
    if (folder && call && happens)
        faults_arm(folder, atol(call), atoi(happens), getenv("FAULTS_ONCE") == NULL, getenv("FAULTS_READS") != NULL);
}

static int below(const char *path)
{
    size_t length = strlen(root);
    return length && strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int path_of(int fd, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static int fd_counts(int fd)
{
    char path[PATH_MAX];
    return root[0] && path_of(fd, path) && below(path);
}

static int path_counts(int dirfd, const char *path)
{
    char folder[PATH_MAX];
    if (!root[0])
        return 0;
    if (path[0] == '/')
        return below(path);
    return dirfd != AT_FDCWD && path_of(dirfd, folder) && below(folder);
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void power_cut(void)
{
    root[0] = '\0';
    for (int fd = 0; fd < FILES; fd++)
        if (open_files[fd].dirty)
            (void)!truncate(open_files[fd].path, open_files[fd].base);
    for (int i = 0; i < closed_count; i++)
        (void)!truncate(closed[i].path, closed[i].base);
    die();
}

/* Whether this call is the one, or behind it. Kills that come before a call happen here. */
static int strikes(int counts)
{
    if (!counts)
        return 0;
    long number = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    int now = number == at || (stays && at && number > at);
    if (now && what == BEFORE)
        die();
    if (now && what == POWER)
        power_cut();
    return now;
}

#define GUARD(counts, result_type, call)              \
    int now = strikes(counts);                        \
    if (now && what > 0) {                            \
        errno = what;                                 \
        return (result_type)-1;                       \
    }                                                 \
    result_type result = (call);                      \
    if (now)                                          \
        die();                                        \
    return result

static void will_write(int fd)
{
    struct stat about;
    if (what != POWER || fd >= FILES || open_files[fd].dirty || fstat(fd, &about) || !S_ISREG(about.st_mode))
        return;
    open_files[fd].dirty = 1, open_files[fd].base = about.st_size;
    path_of(fd, open_files[fd].path);
}

static int guarded_open(int dirfd, const char *path, int flags, mode_t mode)
{
    GUARD((flags & O_CREAT) && path_counts(dirfd, path), int, REAL(openat)(dirfd, path, flags, mode));
}

#define MODE                                          \
    mode_t mode = 0;                                  \
    if (flags & O_CREAT) {                            \
        va_list rest;                                 \
        va_start(rest, flags);                        \
        mode = va_arg(rest, mode_t);                  \
        va_end(rest);                                 \
    }

int open(const char *path, int flags, ...) { MODE return guarded_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return guarded_open(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int dirfd, const char *path, int flags, ...) { MODE return guarded_open(dirfd, path, flags, mode); }
int openat64(int dirfd, const char *path, int flags, ...)
{
    MODE return guarded_open(dirfd, path, flags | O_LARGEFILE, mode);
}

static ssize_t torn(int fd, const void *data, size_t size, off_t place)
{
    (void)!(place < 0 ? REAL(write)(fd, data, size / 2) : REAL(pwrite64)(fd, data, size / 2, place));
    die();
    return -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
    int counts = fd_counts(fd);
    if (counts)
        will_write(fd);
    int now = strikes(counts);
    if (now && what == TORN)
        return torn(fd, data, size, -1);
    if (now && what > 0) {
        errno = what;
        return -1;
    }
    ssize_t result = REAL(write)(fd, data, size);
    if (now)
        die();
    return result;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place)
{
    int now = strikes(fd_counts(fd));
    if (now && what == TORN)
        return torn(fd, data, size, place);
    if (now && what > 0) {
        errno = what;
        return -1;
    }
    ssize_t result = REAL(pwrite64)(fd, data, size, place);
    if (now)
        die();
    return result;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t place) { return pwrite64(fd, data, size, place); }

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned int flags)
{
    int counts = fd_counts(out);
    if (counts)
        will_write(out);
    GUARD(counts, ssize_t, REAL(copy_file_range)(in, from, out, to, size, flags));
}

ssize_t read(int fd, void *data, size_t size) { GUARD(reads && fd_counts(fd), ssize_t, REAL(read)(fd, data, size)); }
ssize_t pread64(int fd, void *data, size_t size, off64_t place)
{
    GUARD(reads && fd_counts(fd), ssize_t, REAL(pread64)(fd, data, size, place));
}

static void safe(int fd)
{
    if (fd >= 0 && fd < FILES)
        open_files[fd].dirty = 0;
}

int fsync(int fd)
{
    int now = strikes(fd_counts(fd));
    if (now && what > 0) {
        errno = what;
        return -1;
    }
    int result = REAL(fsync)(fd);
    safe(fd);
    if (now)
        die();
    return result;
}

int fdatasync(int fd)
{
    int now = strikes(fd_counts(fd));
    if (now && what > 0) {
        errno = what;
        return -1;
    }
    int result = REAL(fdatasync)(fd);
    safe(fd);
    if (now)
        die();
    return result;
}

int close(int fd)
{
    if (fd >= 0 && fd < FILES && open_files[fd].dirty) {
        if (closed_count < LEFT)
            closed[closed_count++] = open_files[fd];
        open_files[fd].dirty = 0;
    }
    return REAL(close)(fd);
}

static void moved(const char *from, const char *to)
{
    for (int fd = 0; fd < FILES; fd++)
        if (open_files[fd].dirty && strcmp(open_files[fd].path, from) == 0)
            snprintf(open_files[fd].path, PATH_MAX, "%s", to);
    for (int i = 0; i < closed_count; i++)
        if (strcmp(closed[i].path, from) == 0)
            snprintf(closed[i].path, PATH_MAX, "%s", to);
}

int rename(const char *from, const char *to)
{
    int now = strikes(path_counts(AT_FDCWD, to));
    if (now && what > 0) {
        errno = what;
        return -1;
    }
    int result = REAL(rename)(from, to);
    if (result == 0)
        moved(from, to);
    if (now)
        die();
    return result;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    GUARD(path_counts(to_fd, to), int, REAL(renameat)(from_fd, from, to_fd, to));
}
int link(const char *from, const char *to) { GUARD(path_counts(AT_FDCWD, to), int, REAL(link)(from, to)); }
int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    GUARD(path_counts(to_fd, to), int, REAL(linkat)(from_fd, from, to_fd, to, flags));
}
int unlink(const char *path) { GUARD(path_counts(AT_FDCWD, path), int, REAL(unlink)(path)); }
int unlinkat(int dirfd, const char *path, int flags)
{
    GUARD(path_counts(dirfd, path), int, REAL(unlinkat)(dirfd, path, flags));
}
int mkdir(const char *path, mode_t mode) { GUARD(path_counts(AT_FDCWD, path), int, REAL(mkdir)(path, mode)); }
int mkdirat(int dirfd, const char *path, mode_t mode)
{
    GUARD(path_counts(dirfd, path), int, REAL(mkdirat)(dirfd, path, mode));
}
int rmdir(const char *path) { GUARD(path_counts(AT_FDCWD, path), int, REAL(rmdir)(path)); }
int truncate64(const char *path, off64_t size)
{
    GUARD(path_counts(AT_FDCWD, path), int, REAL(truncate64)(path, size));
}
int ftruncate64(int fd, off64_t size) { GUARD(fd_counts(fd), int, REAL(ftruncate64)(fd, size)); }
