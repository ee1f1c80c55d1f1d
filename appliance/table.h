/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h -- rows for people (aligned text), for spreadsheets (CSV) or for programs (JSON).
 *
 *     struct table *t = table_create(stdout, TABLE_CSV);
 *     table_column(t, STR("kid"));
 *     table_column(t, STR("requests"));
 *     table_str(t, kid), table_u64(t, requests);   // a row is complete with its last cell
 *     r = table_finish(t, &err);
 *
 * Text has a header line and a line a row, columns two spaces apart, numbers to the right; the
 * widths are those of the first rows, so that a long table flows. CSV is RFC 4180 with a newline at
 * the line's end; JSON is an array of objects, one a line. What goes to a terminal is cleaned in
 * every format, since rows hold what strangers sent.
 *
 * Threads: a table belongs to one thread.
 * Memory:  of the first rows of a text only; what follows is written as it comes.
 * Errors:  of writing, told by table_finish().
 */
#ifndef APPLIANCE_TABLE_H
#define APPLIANCE_TABLE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>

enum table_format { TABLE_TEXT, TABLE_CSV, TABLE_JSON };

/* "table", "csv" or "json"; 0 or E_INVALID. */
must_check int table_format_find(struct str name, enum table_format *ret_format);

struct table;

struct table *table_create(FILE *out, enum table_format format);

/* Before the first cell. The name is copied. */
void table_column(struct table *table, struct str name);

/* The next cell; the first one of a new row where the last row is complete. */
void table_str(struct table *table, struct str value);
void table_u64(struct table *table, uint64_t value);

/* A number as its text; what JSON has no form for ("Inf") is null there. */
void table_number(struct table *table, struct str text);

/* Bytes, as hexadecimal digits. */
void table_blob(struct table *table, struct str value);

/* Nothing: `-` in text (as an empty one), an empty field of CSV, null. */
void table_null(struct table *table);

/* "2026-11-23T18:04:05Z"; nothing where it is 0. */
void table_time(struct table *table, struct wall t);

/*
 * Writes what was held back and destroys the table. 0, or E_IO where something could not be
 * written, with the sentence for that.
 */
must_check int table_finish(struct table *table, struct error *err);

/* Destroys it without writing any more. NULL is accepted. */
void table_destroy(struct table *table);

/*
 * Appends a text for a terminal: control characters and what is not UTF-8, which could move the
 * cursor or hide what stands before, become `?`.
 */
void table_clean(struct buf *out, struct str s);

#endif
