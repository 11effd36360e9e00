"""GraphQL over the read models. Only who serves them imports it: it is a quarter of what there is to import."""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.routing import Route

from commands.access import may
from commands.http import denial
from commands.limits import GRAPHQL
from commands.router import ROUTES
from domain.actor import Actor
from infra.assembly.ground import Ground
from infra.databases import READS
from infra.tokens import Tokens
from read_api.app import Allowance, GraphQLApp
from read_api.cursor import Cursors
from read_api.schema import make_schema

SCOPE_OF: Final = {route.path: route.scope for route in ROUTES}


def permit(actor: Actor, path: str) -> None:
    """Raises Forbidden or Unauthenticated, as the command API would."""
    if not may(actor, SCOPE_OF[path]):
        raise denial(actor, SCOPE_OF[path])


def graphql(ground: Ground, tokens: Tokens) -> Route:
    settings = ground.settings
    served = GraphQLApp(
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
    )
    return Route("/graphql", served)
