/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "tempdir.h"

#include "appliance/control.h"
#include "base/clock.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static json_t *say_yes(void *ctx, const char *command, const json_t *request, struct error *err)
{
    (void)ctx;
    (void)request;
    (void)err;
    return json_pack("{s:s}", "yes", command);
}

static struct control *started(void)
{
    struct error err = ERROR_INIT;
    struct control *control = NULL;
    if (control_start(&control, tempdir, say_yes, NULL, &err) != 0)
        fail_msg("%s", err.text);
    return control;
}

static void expect_yes(void)
{
    struct error err = ERROR_INIT;
    json_t *answer = NULL, *request = json_pack("{s:s}", "command", "do");
    if (control_ask(tempdir, request, &answer, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(json_string_value(json_object_get(answer, "yes")), "do");
    json_decref(answer);
    json_decref(request);
}

/* What the kernel tells of the control thread, which must have its name: opened for reading. */
static int open_status(void)
{
    DIR *dir = opendir("/proc/self/task");
    int found = -1;
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL && found < 0; e = readdir(dir)) {
        char path[512], name[32] = "";
        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (read(fd, name, sizeof(name) - 1) > 0 && strcmp(name, "control\n") == 0) {
            snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
            found = open(path, O_RDONLY | O_CLOEXEC);
        }
        close(fd);
    }
    closedir(dir);
    assert_true(found >= 0);
    return found;
}

/* How often the thread has waited for something. */
static uint64_t waits_of(int status)
{
    const struct str label = STR("\nvoluntary_ctxt_switches:\t");
    char text[8192];
    ssize_t n = pread(status, text, sizeof(text), 0);
    assert_true(n > 0);
    struct str rest = str_make(text, (size_t)n);
    size_t at = str_find(rest, label);
    assert_true(at < rest.n);
    rest = str_slice(rest, at + label.n, rest.n);
    uint64_t waits;
    assert_int_equal(str_to_u64(str_cut(&rest, '\n'), 0, UINT64_MAX, &waits), 0);
    return waits;
}

/* A time in which nothing can be opened, and the log can be read. */
struct famine {
    struct rlimit files;
    int stderr_fd, log[2];
};

static void famine_begin(struct famine *f)
{
    assert_int_equal(pipe2(f->log, O_CLOEXEC), 0);
    f->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_int_equal(dup2(f->log[1], STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &f->files), 0);
    struct rlimit none = {.rlim_cur = STDERR_FILENO + 1, .rlim_max = f->files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void famine_is_felt(const struct famine *f)
{
    char line[4096];
    ssize_t n = read(f->log[0], line, sizeof(line));
    assert_true(n > 0);
    struct str text = str_make(line, (size_t)n);
    assert_true(str_find(text, STR("cannot accept a command")) < text.n);
    assert_int_equal(str_find_char(text, '\n', 0), text.n - 1);
}

/* Nothing was logged but what has been read. */
static void famine_end(struct famine *f)
{
    char c;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &f->files), 0);
    assert_int_equal(dup2(f->stderr_fd, STDERR_FILENO), STDERR_FILENO);
    close(f->stderr_fd);
    close(f->log[1]);
    assert_int_equal(read(f->log[0], &c, 1), 0);
    close(f->log[0]);
}

static void call(int fd)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/control.sock", tempdir);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void without_descriptors_it_waits_says_so_once_and_then_answers(void **state)
{
    struct famine famine;
    (void)state;
    struct control *control = started();
    expect_yes(); /* it has its name by now */
    int status = open_status(), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    famine_begin(&famine);
    call(fd);
    famine_is_felt(&famine);
    /* a thread that tries again and again at once never waits */
    uint64_t before = waits_of(status);
    struct mono deadline = mono_after(clock_mono(), 20 * US_PER_S);
    while (waits_of(status) < before + 3 && clock_mono().us < deadline.us)
        sched_yield();
    assert_true(waits_of(status) >= before + 3);
    famine_end(&famine);
    close(fd);
    expect_yes();
    close(status);
    control_stop(control);
}

static void without_descriptors_it_can_be_stopped(void **state)
{
    struct famine famine;
    (void)state;
    struct control *control = started();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    famine_begin(&famine);
    call(fd);
    famine_is_felt(&famine);
    control_stop(control);
    famine_end(&famine);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(without_descriptors_it_waits_says_so_once_and_then_answers),
        unit_test_in_tempdir(without_descriptors_it_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
