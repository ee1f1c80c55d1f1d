/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h -- the ceilings of what is read from outside, in one place.
 *
 * A ceiling that a user may want to move is a setting with its default in its row; what stands here
 * is what nobody should need to reach, so that no input can make the program grow without end.
 *
 * Threads: constants.
 * Memory:  none.
 * Errors:  none; who meets a ceiling says which.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* A configuration file: 8 MiB hold some 50,000 apps with their keys. */
#define LIMIT_CONFIG_BYTES (8U << 20)

/* Memory of a configuration that is read, and of the tree it is read from. */
#define LIMIT_CONFIG_ARENA_BYTES (128U << 20)

/* A text of the configuration after ${env:} and ${file:} were put in; a certificate chain fits. */
#define LIMIT_CONFIG_TEXT_BYTES (64U << 10)

/* Maps and lists inside each other in YAML: the deepest setting needs 8. */
#define LIMIT_YAML_DEPTH 32

/* Values of one YAML file, maps and lists included. */
#define LIMIT_YAML_NODES 500000

#endif
