"""GraphQL over the read models. Only who serves them imports it: it is a quarter of what there is to import."""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.routing import BaseRoute, Route, WebSocketRoute

from commands.access import may
from commands.http import denial
from commands.limits import GRAPHQL
from commands.router import ROUTES
from domain.actor import Actor
from infra.assembly.ground import Ground
from infra.databases import READS
from infra.limiting import Addresses, networks
from infra.tokens import Tokens
from read_api.app import Allowance
from read_api.cursor import Cursors
from read_api.live.hub import Live
from read_api.live.serving import LiveGraphQLApp
from read_api.schema import make_schema

SCOPE_OF: Final = {route.path: route.scope for route in ROUTES}


def permit(actor: Actor, path: str) -> None:
    """Raises Forbidden or Unauthenticated, as the command API would."""
    if not may(actor, SCOPE_OF[path]):
        raise denial(actor, SCOPE_OF[path])


def graphql(ground: Ground, tokens: Tokens) -> list[BaseRoute]:
    settings = ground.settings
    served = LiveGraphQLApp(
        make_schema(),
        ground.databases.pool(READS),
        ground.watch,
        tokens.authenticate,
        Cursors(settings.cursor_secret.get_secret_value()),
        admit=partial(ground.limiter.admit, GRAPHQL),
        allowance=Allowance(body=settings.max_query_bytes, waiting=settings.consistency_seconds),
        logs=ground.readers,
        permit=permit,
        graphiql=settings.graphiql,
        live=live(ground),
        address=Addresses(networks(settings.trusted_proxies)).of,
    )
    return [Route("/graphql", served), WebSocketRoute("/graphql", served)]


def live(ground: Ground) -> Live:
    """Told of changed rows by the consumers of this process at once, by those of others through the database."""
    made = Live(ground.databases.pool(READS), ground.changed, most=ground.settings.max_streams)

    async def stop() -> None:
        await ground.stopping.wait()
        made.stop()

    ground.background(ground.changed.run())
    ground.background(made.run())
    ground.background(stop())
    return made
