"""The dashboard: what it looks at, and the command API that it acts through."""

from __future__ import annotations

import httpx
from starlette.routing import Mount
from starlette.types import ASGIApp

from commands.denials import Denials
from commands.services import Services
from domain import sagas
from domain.actor import Actor
from infra.assembly.ground import Ground
from infra.assembly.writing import WriteLoops
from infra.dashboard import ByHttp, Denied, InProcess
from infra.databases import READS
from infra.event_log.reader import LogReader
from infra.keys import NoKeys
from infra.tokens import Tokens
from sagas.dashboard.app import dashboard
from sagas.dashboard.desk import Desk
from sagas.dashboard.healthy import Healthy
from sagas.dashboard.live import News
from sagas.dashboard.port import Commands
from sagas.dashboard.session import Sessions
from sagas.dashboard.stories import Stories


def pages(ground: Ground, loops: WriteLoops, tokens: Tokens, used: Services, api: ASGIApp) -> Mount:
    """`api` is the command API of this process."""
    reads = ground.databases.pool(READS)
    sealed = {c.name: LogReader(ground.databases.pool(c.name), c.name, NoKeys()) for c in ground.contexts}
    return dashboard(
        Desk(
            reads=reads,
            sealed=sealed,
            opened=ground.readers,
            commands=commands(ground, api),
            denials=Denied(Denials(loops, used), used.now),
            token=lambda actor: access_token(tokens, actor),
            sessions=Sessions(ground.settings.cursor_secret.get_secret_value().encode()),
            news=News(reads),
            healthy=Healthy(reads, sealed[sagas.CONTEXT.name]),
            stories=Stories(sealed[sagas.CONTEXT.name]),
            stopping=ground.stopping,
        )
    )


def access_token(tokens: Tokens, actor: Actor) -> str:
    return tokens.access(actor)[0]


def commands(ground: Ground, api: ASGIApp) -> Commands:
    """By HTTP where a setting names the command API."""
    url = ground.settings.commands_url
    if url is None:
        return InProcess(api)
    client = httpx.AsyncClient(base_url=url)
    ground.stack.push_async_callback(client.aclose)
    return ByHttp(client)
