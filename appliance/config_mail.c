/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/config_mail.h"

#include "base/mail.h"

static const char *const MODES[] = {[MAIL_SMTP] = "smtp", [MAIL_CONSOLE] = "console", NULL};

static bool has_prefix(struct str url, struct str *ret_rest)
{
    static const struct str prefixes[] = {STR_INIT("smtp://"), STR_INIT("smtps://")};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (str_starts_nocase(url, prefixes[i])) {
            *ret_rest = str_slice(url, prefixes[i].n, url.n);
            return true;
        }
    }
    return false;
}

static const char *url_fault(struct str url)
{
    struct str rest;
    if (!has_prefix(url, &rest))
        return "must begin with smtp:// (STARTTLS) or smtps:// (TLS from the start)";
    for (size_t i = 0; i < rest.n; i++) {
        if ((unsigned char)rest.p[i] <= ' ' || strchr("/@?#", rest.p[i]) != NULL)
            return "must be a host and its port, as in smtp://mail.example.com:587; a name and "
                   "password have keys of their own";
    }
    return rest.n == 0 || rest.p[0] == ':' ? "must name a host" : NULL;
}

static const char *from_fault(struct str from)
{
    return mail_address_fault(from) != NULL ? "must be an address, as in weir@example.com" : NULL;
}

/* What never leaves the machine needs no encryption. */
static bool is_loopback(struct str url)
{
    struct str rest;
    return has_prefix(url, &rest) &&
           (str_starts(rest, STR("127.")) || str_starts(rest, STR("[::1]")) ||
            str_eq(rest, STR("localhost")) || str_starts(rest, STR("localhost:")));
}

static void finish_mail(struct conf *conf, const struct yaml_node *node, void *base)
{
    struct mail_config *mail = base;
    mail->there = true;
    bool has_server = yaml_find(node, STR("url")) != NULL && yaml_find(node, STR("from")) != NULL;
    if (mail->mode == MAIL_SMTP && !has_server)
        conf_fault_key(
            conf, node,
            "`mail` needs `url`, the mail server, and `from`, the address of the sender; "
            "or `mode: console`, which sends nothing and shows mails in the console");
    if ((yaml_find(node, STR("username")) != NULL) != (yaml_find(node, STR("password")) != NULL))
        conf_fault_key(conf, node, "`mail` needs both `username` and `password`, or neither");
    mail->must_encrypt =
        !mail->insecure && str_starts_nocase(mail->url, STR("smtp://")) && !is_loopback(mail->url);
}

const struct conf_field config_mail_fields[] = {
    {.name = "mode",
     CONF_AS_ENUM(struct mail_config, mode),
     .names = MODES,
     .fallback = "smtp",
     .doc = "`console` sends nothing: operators read the mails in the console. For trying out."},
    {.name = "url",
     CONF_AS_STRING(struct mail_config, url),
     .unset = "required by `smtp`",
     .min = 1,
     .max = 300,
     .valid = url_fault,
     .doc = "The mail server, as in `smtp://mail.example.com:587` or "
            "`smtps://mail.example.com:465`."},
    {.name = "from",
     CONF_AS_STRING(struct mail_config, from),
     .unset = "required by `smtp`",
     .min = 1,
     .max = MAIL_ADDRESS_MAX,
     .valid = from_fault,
     .doc = "The sender's address; the name beside it is `portal.title`."},
    {.name = "username",
     CONF_AS_STRING(struct mail_config, username),
     .unset = "none",
     .min = 1,
     .max = 256,
     .doc = "For the mail server."},
    {.name = "password",
     CONF_AS_STRING(struct mail_config, password),
     .flags = CONF_HIDDEN,
     .unset = "none",
     .min = 1,
     .max = 1024,
     .doc = "For the mail server, as in `${file:/etc/weir/mail-password}`."},
    {.name = "insecure",
     CONF_AS_BOOL(struct mail_config, insecure),
     .fallback = "false",
     .doc = "Allows `smtp://` without STARTTLS beyond loopback, so that mails, and the links in "
            "them, can be read on the way."},
    {.name = "timeout",
     CONF_AS_DURATION(struct mail_config, timeout_us),
     .fallback = "30s",
     .min = 100 * US_PER_MS,
     .max = 10 * US_PER_MINUTE,
     .doc = "How long one mail may take."},
    {.name = NULL, .done = finish_mail},
};

void config_check_mail(struct conf *conf, const struct yaml_node *root, struct config *config)
{
    const struct yaml_node *portal = yaml_find(root, STR("portal"));
    const struct yaml_node *mail = yaml_find(root, STR("mail"));
    if (config->mail.there && config->portal.url.n == 0)
        conf_fault_key(conf, mail, "`mail` needs `portal.url`: links in mails begin with it");
    const struct yaml_node *verify = portal != NULL ? yaml_find(portal, STR("verify_email")) : NULL;
    if (verify == NULL)
        config->portal.verify_email = config->mail.there;
    else if (config->portal.verify_email && !config->mail.there)
        conf_fault_key(conf, verify,
                       "`verify_email` needs `mail`: without it nobody could confirm an address");
}
