/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/metrics_sources.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t us_of(struct timeval t)
{
    return (uint64_t)t.tv_sec * (uint64_t)US_PER_S + (uint64_t)t.tv_usec;
}

static void add_memory(struct metrics_out *out)
{
    char text[128];
    uint64_t pages, resident, page = (uint64_t)sysconf(_SC_PAGESIZE);
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    struct str rest = str_make(text, n > 0 ? (size_t)n : 0);
    if (str_to_u64(str_cut(&rest, ' '), 0, UINT64_MAX, &pages) != 0 ||
        str_to_u64(str_cut(&rest, ' '), 0, UINT64_MAX, &resident) != 0)
        return;
    metrics_u64(out, METRIC_PROCESS_VIRTUAL, METRIC_NO_LABELS, pages * page);
    metrics_u64(out, METRIC_PROCESS_RESIDENT, METRIC_NO_LABELS, resident * page);
}

static void add_files(struct metrics_out *out)
{
    struct rlimit limit;
    uint64_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir != NULL) {
        while (readdir(dir) != NULL)
            count++;
        closedir(dir);
        /* less ".", ".." and the folder itself */
        metrics_u64(out, METRIC_PROCESS_FDS, METRIC_NO_LABELS, count - 3);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_u64(out, METRIC_PROCESS_FDS_MAX, METRIC_NO_LABELS, limit.rlim_cur);
}

void process_collect(struct metrics_out *out, struct wall started)
{
    struct rusage usage;
    metrics_u64(out, METRIC_BUILD, METRIC_LABELS(STR(WEIR_VERSION)), 1);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metrics_us(out, METRIC_PROCESS_CPU, METRIC_NO_LABELS,
                   us_of(usage.ru_utime) + us_of(usage.ru_stime));
    metrics_us(out, METRIC_PROCESS_START, METRIC_NO_LABELS, (uint64_t)started.us);
    add_memory(out);
    add_files(out);
}
