"""GraphQL over the read models, and who may ask."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from starlette.routing import Route

from commands.limits import GRAPHQL
from infra.assembly.ground import Ground
from infra.databases import READS
from infra.tokens import SigningKeys, Tokens
from projections.users.blocked import Blocked
from read_api.app import Allowance, GraphQLApp
from read_api.cursor import Cursors
from read_api.schema import make_schema


def tokens_of(ground: Ground) -> Tokens:
    """They stop within seconds for who is blocked."""
    settings = ground.settings
    life = settings.token_access_seconds
    blocked = Blocked(ground.databases.pool(READS), timedelta(seconds=life))
    ground.background(blocked.run())
    keys = SigningKeys(settings.token_keys.get_secret_value())
    return Tokens(keys, issuer=settings.token_issuer, seconds=life, blocked=blocked.__contains__)


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
        graphiql=settings.graphiql,
    )
    return Route("/graphql", served)
