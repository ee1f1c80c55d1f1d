/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the main thread does while everything runs: signals, the configuration file, a tick each
 * second.
 *
 * Editors replace a file rather than write into it, so the folder is watched, and a change is taken
 * up when the file has been quiet for a moment. Where the file is reached by links, as in
 * Kubernetes, which exchanges a folder on the way, each tick looks whether they lead to another
 * file.
 */
#include "appliance/inside.h"
#include "base/log.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define QUIET_US (300 * US_PER_MS)
#define TICK_US US_PER_S

static void our_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void instance_block_signals(void)
{
    sigset_t set;
    our_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void instance_quit(struct instance *instance)
{
    uint64_t one = 1;
    ssize_t n = write(instance->quit_fd, &one, sizeof(one));
    (void)n; /* a full counter wakes as well */
}

static void watch_config(struct instance *in)
{
    if (in->config_path == NULL)
        return;
    char *copy = strdup(in->config_path);
    CHECK(copy != NULL);
    in->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (in->watch_fd < 0 || inotify_add_watch(in->watch_fd, dirname(copy),
                                              IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) < 0)
        log_warn("the configuration file is not watched; SIGHUP reloads it",
                 kv_str("file", in->config_path), kv_i64("errno", errno));
    free(copy);
}

/* Whether one of the events that have come names our file. */
static bool config_changed(struct instance *in)
{
    _Alignas(struct inotify_event) char events[4096];
    bool ours = false;
    char *copy = strdup(in->config_path);
    CHECK(copy != NULL);
    const char *name = basename(copy);
    for (;;) {
        ssize_t n = read(in->watch_fd, events, sizeof(events));
        if (n <= 0)
            break;
        for (char *p = events; p < events + n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)p;
            if (e->len > 0 && strcmp(e->name, name) == 0)
                ours = true;
            p += sizeof(*e) + e->len;
        }
    }
    free(copy);
    return ours;
}

/* True when the signal says to stop. */
static bool take_signal(struct instance *in)
{
    struct signalfd_siginfo info;
    if (read(in->signal_fd, &info, sizeof(info)) != sizeof(info))
        return false;
    if (info.ssi_signo != SIGHUP) {
        log_info("stopping", kv_str("signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"));
        return true;
    }
    if (in->config_path != NULL) {
        int r = instance_reload(in, NULL);
        (void)r; /* logged there */
    }
    return false;
}

static int wait_ms(const struct instance *in, struct mono next_tick, struct mono until)
{
    struct mono next = mono_min(next_tick, until);
    if (in->reload_at.us != 0)
        next = mono_min(next, in->reload_at);
    int64_t ms = (next.us - clock_mono().us + US_PER_MS - 1) / US_PER_MS;
    return ms < 0 ? 0 : (int)(ms > 1000 ? 1000 : ms);
}

/* What is written to a directory that has no name any more is lost when this process ends. */
static void look_at_data_dir(struct instance *in)
{
    bool stands = dir_lock_stands(&in->lock, in->data_dir);
    if (!stands && !in->dir_gone)
        log_error("the data directory was removed or replaced; put it back and restart",
                  kv_str("data_dir", in->data_dir));
    in->dir_gone = !stands;
}

static void tick(struct instance *in, struct mono now, struct mono *next_tick)
{
    if (in->reload_at.us != 0 && now.us >= in->reload_at.us) {
        in->reload_at.us = 0;
        int r = instance_reload(in, NULL);
        (void)r; /* logged there */
    }
    if (now.us >= next_tick->us) {
        look_at_data_dir(in);
        portal_sample(in->portal);
        if (in->reload_at.us == 0 && instance_config_replaced(in))
            in->reload_at = mono_after(now, QUIET_US);
        *next_tick = mono_after(now, TICK_US);
    }
}

void instance_run(struct instance *instance, struct mono until)
{
    struct instance *in = instance;
    sigset_t set;
    our_signals(&set);
    in->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(in->signal_fd >= 0);
    watch_config(in);
    struct mono next_tick = clock_mono();
    for (;;) {
        struct pollfd p[3] = {{.fd = in->signal_fd, .events = POLLIN},
                              {.fd = in->quit_fd, .events = POLLIN},
                              {.fd = in->watch_fd, .events = POLLIN}};
        int n = poll(p, 3, wait_ms(in, next_tick, until));
        CHECK(n >= 0 || errno == EINTR);
        if (n > 0 && ((p[0].revents != 0 && take_signal(in)) || p[1].revents != 0))
            return;
        if (n > 0 && p[2].revents != 0 && config_changed(in))
            in->reload_at = mono_after(clock_mono(), QUIET_US);
        struct mono now = clock_mono();
        if (now.us >= until.us)
            return;
        tick(in, now, &next_tick);
    }
}
