"""GraphQL over the read models. Only who serves them imports it: it is a quarter of what there is to import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Scope

from commands.access import may
from commands.http import denial
from commands.limits import GRAPHQL, Admission
from commands.router import ROUTES
from commands.trace import TRACE, Trace, trace
from domain import users
from domain.actor import Actor
from infra.assembly.ground import Ground
from infra.contexts import CONTEXTS
from infra.databases import READS, Databases
from infra.event_log.reader import LogReader
from infra.keys import PersonalKeys
from infra.limiting import Addresses, networks
from infra.settings import Settings, SettingsRefused
from infra.telemetry.current import CURRENT
from infra.tokens import Tokens
from read_api.app import Allowance
from read_api.cursor import Cursors
from read_api.graphiql.pages import routes as graphiql_files
from read_api.live.hub import Live
from read_api.live.serving import LiveGraphQLApp
from read_api.persisted import ListRefused, Persisted, opened_list
from read_api.schema import make_schema

SCOPE_OF: Final = {route.path: route.scope for route in ROUTES}


def permit(actor: Actor, path: str) -> None:
    """Raises Forbidden or Unauthenticated, as the command API would."""
    if not may(actor, SCOPE_OF[path]):
        raise denial(actor, SCOPE_OF[path])


async def graphql(ground: Ground, tokens: Tokens) -> list[BaseRoute]:
    settings, limiter = ground.settings, ground.limiter

    async def admit(actor: Actor, scope: Scope, units: int) -> Admission | None:
        return await limiter.admit(GRAPHQL, actor, scope, units)

    secret = settings.cursor_secret.get_secret_value()
    served = LiveGraphQLApp(
        make_schema(introspection=settings.introspects, persisted=persisted(settings, secret)),
        ground.databases.pool(READS),
        ground.watch,
        tokens.authenticate,
        Cursors(secret),
        admit=admit,
        allowance=Allowance(body=settings.max_query_bytes, waiting=settings.consistency_seconds),
        logs=await logs(ground),
        permit=permit,
        trace_id=trace_id,
        graphiql=settings.graphiql,
        live=live(ground),
        traced=traced,
        address=Addresses(networks(settings.trusted_proxies)).of,
    )
    more = graphiql_files() if settings.graphiql else ()
    return [Route("/graphql", served), WebSocketRoute("/graphql", served), *more]


def persisted(settings: Settings, secret: str) -> Persisted:
    """Raises SettingsRefused."""
    if (path := settings.documents) is None:
        return Persisted()
    try:
        listed = opened_list(path.read_bytes(), secret)
    except (OSError, ListRefused) as error:
        raise SettingsRefused(f"CHOBO_DOCUMENTS: {path} cannot be used: {error}") from None
    return Persisted(listed, only=settings.documents_only)


def trace_id(scope: Scope) -> str:
    found: Trace | None = scope.get(TRACE)
    return found.trace_id if found else ""


@contextmanager
def traced(scope: Scope) -> Iterator[str]:
    """A trace of its own for each operation of a socket; the correlation id is the socket's, if its client gave one."""
    headers = dict(scope["headers"])
    headers.pop(b"traceparent", None)
    of_operation = trace(headers)
    token = CURRENT.set(of_operation)
    try:
        yield of_operation.trace_id
    finally:
        CURRENT.reset(token)


async def logs(ground: Ground) -> Mapping[str, LogReader]:
    """By context. Who only shows opens them for that, and serves on while they are away; none are named, none shown."""
    names = [context.name for context in CONTEXTS]
    if ground.contexts or not all(map(ground.settings.database_of, names)):
        return ground.readers
    beside = Databases(ground.settings, names, reads=False)
    await beside.open_later()
    ground.stack.push_async_callback(beside.close)
    keys = PersonalKeys(beside.pool(users.CONTEXT.name), ground.settings.master_key_bytes())
    return {name: LogReader(beside.pool(name), name, keys) for name in names}


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
