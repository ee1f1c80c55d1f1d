/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.h -- the switch from one stack to another: registers, and what the sanitizers must be
 * told.
 *
 * A context is the stack pointer of a suspended flow; the callee-saved registers lie on its stack
 * (System V AMD64 ABI §3.2.1; AAPCS64 §6.1). Floating-point control words are not saved: nothing
 * here changes them.
 *
 * Threads: a context is resumed by the thread that suspended it.
 * Memory:  the stack is the caller's (stack.h).
 * Errors:  none.
 */
#ifndef BASE_FIBER_CONTEXT_H
#define BASE_FIBER_CONTEXT_H

#include "base/compiler.h"

struct context {
    void *sp;                 /* where to go on; valid while suspended */
    const void *stack_bottom; /* lowest address, for the address sanitizer */
    size_t stack_size;
    void *asan_fake_stack; /* the address sanitizer's side of a suspended flow */
    void *tsan_fiber;      /* the thread sanitizer's name of the flow */
};

/*
 * Prepares `ctx` so that the first switch to it calls entry() on the stack [bottom, bottom + size).
 * entry() must never return; it must call context_entered() first.
 */
void context_make(struct context *ctx, void *bottom, size_t size, void (*entry)(void));

/* The context of the calling thread itself, to be switched back to. */
void context_of_thread(struct context *ctx);

/* Suspends `from`, resumes `to`. With `last`, `from` will never be resumed. */
void context_switch(struct context *from, struct context *to, bool last);

/* The first thing on a new stack; `from` is the context that switched here. */
void context_entered(struct context *from);

/* Forgets a context that has ended. */
void context_finish(struct context *ctx);

#endif
