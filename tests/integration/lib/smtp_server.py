# SPDX-License-Identifier: Apache-2.0
"""A mail server for tests (aiosmtpd): smtp_server.py PORT

Tells its port and then each mail it took as one line of JSON on stdout. Lines on stdin say what it
does with the next ones: accept, 550 or 451 (the answer to RCPT), hang (none at all).
"""
import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP

mode = "accept"


def tell(value):
    print(json.dumps(value), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        tell({"asked": address})
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode in ("550", "451"):
            return f"{mode} not now, not here"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        tell({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "head": {name: str(value) for name, value in message.items()},
            "text": message.get_content(),
        })
        return "250 taken"


async def main():
    global mode
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), enable_SMTPUTF8=False), "127.0.0.1", int(sys.argv[1]))
    tell({"port": server.sockets[0].getsockname()[1]})
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        mode = line
        tell({"mode": mode})


asyncio.run(main())
