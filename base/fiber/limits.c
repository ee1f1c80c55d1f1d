/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine lets us have: cores, mappings, descriptors. */
#include "base/fiber/fiber.h"
#include "base/fiber/stack.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* The first line of a small file, without its newline; empty where it cannot be read. */
static struct str read_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return STR_EMPTY;
    struct str s = STR_EMPTY;
    if (fgets(line, (int)size, f) != NULL) {
        s = str_from(line);
        if (s.n > 0 && s.p[s.n - 1] == '\n')
            s.n--;
    }
    fclose(f);
    return s;
}

/* Cores of the cgroup's quota, rounded up; 0 where there is none (cgroup v2, cpu.max: "quota
 * period"). */
static unsigned cgroup_cpus(void)
{
    char line[128], path[512];
    /* "0::/path" names our own group; inside a container it is "/" */
    struct str own = read_line("/proc/self/cgroup", line, sizeof(line));
    if (!str_starts(own, STR("0::/")))
        return 0;
    own = str_slice(own, 3, own.n);
    char text[64];
    unsigned least = 0;
    /* a limit may stand on any group above ours as well */
    for (;;) {
        snprintf(path, sizeof(path), "/sys/fs/cgroup%" STR_FMT "/cpu.max", STR_ARG(own));
        struct str rest = read_line(path, text, sizeof(text));
        struct str quota_text = str_cut(&rest, ' ');
        uint64_t quota, period;
        if (str_to_u64(quota_text, 1, INT64_MAX, &quota) == 0 &&
            str_to_u64(rest, 1, INT64_MAX, &period) == 0) {
            unsigned cpus = (unsigned)((quota + period - 1) / period);
            if (least == 0 || cpus < least)
                least = cpus;
        }
        if (own.n <= 1)
            return least;
        while (own.n > 1 && own.p[own.n - 1] != '/')
            own.n--;
        if (own.n > 1)
            own.n--;
    }
}

unsigned cpus_allowed(void)
{
    unsigned cpus = 1;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        cpus = (unsigned)CPU_COUNT(&set);
    unsigned quota = cgroup_cpus();
    if (quota > 0 && quota < cpus)
        cpus = quota;
    return cpus > 0 ? cpus : 1;
}

int fiber_limits_check(unsigned fibers, unsigned files, struct error *err)
{
    char line[64];
    uint64_t maps;
    struct rlimit limit;
    if (str_to_u64(read_line("/proc/sys/vm/max_map_count", line, sizeof(line)), 0, UINT64_MAX,
                   &maps) == 0) {
        /* a quarter is left to everything else */
        uint64_t need = (uint64_t)fibers * FIBER_STACK_MAPPINGS;
        if (need > maps - maps / 4)
            return error_set(err, E_RANGE,
                             "%u workers need %llu memory mappings, but vm.max_map_count is %llu; "
                             "lower gateway.workers or run: sysctl vm.max_map_count=%llu",
                             fibers, (unsigned long long)need, (unsigned long long)maps,
                             (unsigned long long)(need + need / 2));
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < files)
        return error_set(
            err, E_RANGE,
            "%u workers need %u open files, but the limit is %llu; lower gateway.workers "
            "or raise the limit (ulimit -n, LimitNOFILE=)",
            fibers, files, (unsigned long long)limit.rlim_cur);
    return 0;
}
