/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as weir.yaml: the tree, then the whole configuration. What must hold: a result or at
 * least one fault, never both; each fault one printable line; positions from 1 on; a configuration
 * that was taken can be told.
 */
#include "appliance/config.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(const struct config_errors *errors)
{
    for (unsigned i = 0; i < config_errors_kept(errors); i++) {
        const char *text = errors->items[i].text;
        CHECK(str_starts(str_from(text), STR("f:")));
        for (const char *p = text; *p != '\0'; p++)
            CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
    }
}

static size_t check_tree(const struct yaml_node *node, unsigned depth)
{
    size_t count = 0;
    CHECK(depth <= LIMIT_YAML_DEPTH);
    CHECK(node->line > 0 && node->column > 0);
    CHECK(node->kind != YAML_SCALAR || (node->text.p[node->text.n] == '\0' && node->first == NULL));
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        CHECK((child->key.n > 0) == (node->kind == YAML_MAP));
        CHECK(node->kind != YAML_MAP || yaml_find(node, child->key) == child);
        check_tree(child, depth + 1);
        count++;
    }
    CHECK(count == node->count);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config_errors errors;
    struct str text = str_make((const char *)data, size);
    struct yaml_node *root = NULL;
    struct config *config = NULL;
    struct arena arena;

    config_errors_init(&errors, "f");
    arena_init(&arena, 4096, LIMIT_CONFIG_ARENA_BYTES);
    int parsed = yaml_parse(&arena, text, &root, &errors);
    CHECK((parsed == 0) == (errors.count == 0) && (parsed == 0) == (root != NULL));
    check_lines(&errors);
    if (parsed == 0)
        check_tree(root, 0);
    arena_finish(&arena);

    int loaded = config_load_text("f", text, &config, &errors);
    CHECK((loaded == 0) == (errors.count == 0) && (loaded == 0) == (config != NULL));
    CHECK(loaded != 0 || parsed == 0);
    check_lines(&errors);
    if (config != NULL) {
        char summary[8192];
        struct buf out;
        buf_init_fixed(&out, summary, sizeof(summary));
        config_summary(config, &out);
        CHECK(config_needs_restart(config, config, &out) == 0);
    }
    config_destroy(config);
    return 0;
}
