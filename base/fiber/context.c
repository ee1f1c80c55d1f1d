/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fiber/context.h"

#include <stdint.h>
#include <string.h>

#if WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

void context_switch_raw(void **save_sp, void *load_sp);

#if defined(__x86_64__)
#define SAVED_WORDS 6
#define RETURN_WORD 6 /* the return address lies above rbp */
#define FRAME_WORDS 8 /* and one word above it, so that entry() finds the alignment of a call */
#elif defined(__aarch64__)
#define SAVED_WORDS 20
#define RETURN_WORD 11 /* x30 */
#define FRAME_WORDS 20
#endif

void context_make(struct context *ctx, void *bottom, size_t size, void (*entry)(void))
{
    *ctx = (struct context){.stack_bottom = bottom, .stack_size = size};
    uintptr_t top = ((uintptr_t)bottom + size) & ~(uintptr_t)15;
    uintptr_t *frame = (uintptr_t *)top - FRAME_WORDS;
    memset(frame, 0, FRAME_WORDS * sizeof(*frame));
    frame[RETURN_WORD] = (uintptr_t)entry;
    ctx->sp = frame;
#if WITH_TSAN
    ctx->tsan_fiber = __tsan_create_fiber(0);
#endif
}

void context_of_thread(struct context *ctx)
{
    *ctx = (struct context){.sp = NULL};
#if WITH_TSAN
    ctx->tsan_fiber = __tsan_get_current_fiber();
#endif
}

/* What lies on the far side of a switch: told to the address sanitizer by whoever arrives. */
static void arrived(struct context *self, struct context *from)
{
#if WITH_ASAN
    const void *bottom = NULL;
    size_t size = 0;
    __sanitizer_finish_switch_fiber(self != NULL ? self->asan_fake_stack : NULL, &bottom, &size);
    if (from->stack_bottom == NULL) { /* a thread's own stack becomes known when it is left */
        from->stack_bottom = bottom;
        from->stack_size = size;
    }
#else
    (void)self;
    (void)from;
#endif
}

void context_entered(struct context *from)
{
    arrived(NULL, from);
}

void context_switch(struct context *from, struct context *to, bool last)
{
#if WITH_ASAN
    __sanitizer_start_switch_fiber(last ? NULL : &from->asan_fake_stack, to->stack_bottom,
                                   to->stack_size);
#else
    (void)last;
#endif
#if WITH_TSAN
    __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
    context_switch_raw(&from->sp, to->sp);
    arrived(from, to);
}

void context_finish(struct context *ctx)
{
#if WITH_TSAN
    if (ctx->tsan_fiber != NULL)
        __tsan_destroy_fiber(ctx->tsan_fiber);
#endif
    *ctx = (struct context){.sp = NULL};
}
