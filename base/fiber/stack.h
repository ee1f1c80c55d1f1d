/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.h -- stacks for fibers: virtual until touched, a guard below, reused.
 *
 * Threads: a pool belongs to one carrier; creating and freeing single stacks is free of shared
 * state. Memory:  FIBER_STACK_BYTES of address space each, of which only touched pages cost
 * anything. Errors:  NULL where the kernel gives no more mappings (vm.max_map_count) or memory.
 */
#ifndef BASE_FIBER_STACK_H
#define BASE_FIBER_STACK_H

#include "base/compiler.h"

#if WITH_ASAN || WITH_TSAN
#define FIBER_STACK_BYTES (1024 * 1024) /* the sanitizers' frames are several times as large */
#else
#define FIBER_STACK_BYTES (256 * 1024)
#endif
#define FIBER_GUARD_BYTES (16 * 1024)

/* How many mappings one stack takes of vm.max_map_count. */
#define FIBER_STACK_MAPPINGS 2

/* The lowest usable byte of a fresh stack; below it lies the guard. NULL on failure. */
void *stack_create(void);
void stack_destroy(void *bottom);

/* Gives the pages of [bottom, below) back to the kernel; they read as zero afterwards. */
void stack_trim(void *bottom, const void *below);

#endif
