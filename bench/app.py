"""python -m bench.app DATA: `chobo up` with one more route, `POST /v1/nothing`: who asks and the body, nothing else.

Prints one JSON line when it is ready: address, pid, a service token for every role.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import uvloop
from pydantic import SecretStr
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from commands.exchange import Request, Response
from commands.http import BODY_LIMIT, Authenticate
from domain.actor import service
from infra.bootstrap import running
from infra.cli.installation import installation
from infra.embedded import EmbeddedPostgres
from infra.serving import Server, address_of, listen
from infra.settings import Settings

PATH = "/v1/nothing"


class Nothing(BaseRoute):
    """The ceiling of a command: the same server, authentication, body and headers, and no command."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" and scope["path"] == PATH else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self._authenticate(request.bearer() or "")
        body = await request.json(BODY_LIMIT)
        await Response(200, b'{"bytes":%d}' % len(body)).send(send, request.trace)


async def serve(settings: Settings) -> None:
    listening = listen(settings.host, settings.port)
    async with running(settings) as system:
        system.app.router.routes.insert(0, Nothing(system.tokens.authenticate))

        def announce() -> None:
            token, _ = system.tokens.access(service("bench"))
            ready = {"address": address_of(listening), "pid": os.getpid(), "token": token}
            print(json.dumps(ready), flush=True)

        server = Server(system.app, stop_within=settings.stop_seconds, on_ready=announce, on_stop=lambda: None)
        await server.serve_until_signal(listening)


def main(data: Path) -> None:
    settings = installation(data=data, port=0)
    with EmbeddedPostgres(data) as postgres:
        uvloop.run(serve(settings.model_copy(update={"database_url": SecretStr(postgres.conninfo())})))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
