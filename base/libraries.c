/* SPDX-License-Identifier: Apache-2.0 */
#include "base/libraries.h"

#include "base/db.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <curl/curl.h>
#include <jansson.h>
#include <pcre2.h>
#include <sodium.h>
#include <zlib.h>

static void copy(const char *version, char *out)
{
    str_copy(str_from(version), out, LIBRARY_VERSION_MAX);
}

static void of_sqlite(char out[static LIBRARY_VERSION_MAX])
{
    copy(db_version(), out);
}

static void of_sodium(char out[static LIBRARY_VERSION_MAX])
{
    copy(sodium_version_string(), out);
}

static void of_jansson(char out[static LIBRARY_VERSION_MAX])
{
    copy(jansson_version_str(), out);
}

static void of_curl(char out[static LIBRARY_VERSION_MAX])
{
    copy(curl_version_info(CURLVERSION_NOW)->version, out);
}

static void of_zlib(char out[static LIBRARY_VERSION_MAX])
{
    copy(zlibVersion(), out);
}

/* "10.42 2022-12-11" */
static void of_pcre2(char out[static LIBRARY_VERSION_MAX])
{
    int length = pcre2_config(PCRE2_CONFIG_VERSION, NULL);
    CHECK(length > 0 && length <= LIBRARY_VERSION_MAX);
    pcre2_config(PCRE2_CONFIG_VERSION, out);
}

static const struct {
    const char *name;
    void (*version)(char out[static LIBRARY_VERSION_MAX]);
} LIBRARIES[] = {
    {"civetweb", http_library_version},
    {"sqlite", of_sqlite},
    {"libsodium", of_sodium},
    {"jansson", of_jansson},
    {"libyaml", yaml_library_version},
    {"libcurl", of_curl},
    {"zlib", of_zlib},
    {"pcre2", of_pcre2},
};

size_t library_count(void)
{
    return ARRAY_LEN(LIBRARIES);
}

const char *library_version(size_t index, char out[static LIBRARY_VERSION_MAX])
{
    CHECK(index < ARRAY_LEN(LIBRARIES));
    LIBRARIES[index].version(out);
    return LIBRARIES[index].name;
}
