"""Where objects meet: from settings to a running system, with explicit arguments and no container."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from secrets import token_urlsafe
from typing import Any, Final

from psycopg import AsyncConnection
from starlette.applications import Starlette
from starlette.routing import Route

from commands.app import app
from commands.handler import Handlers
from commands.http import CommandApi
from commands.loop import WriteLoop
from commands.router import HANDLERS, RESOURCES, ROUTES
from commands.services import Loops, Services
from commands.table import Table
from commands.users.handlers import handlers as user_handlers
from domain import orders, payments, products, users
from domain.aggregate import Context
from domain.users.credentials import Policy
from infra.catalogue import LogCatalogue
from infra.claims import HiddenClaims
from infra.databases import READS, Databases
from infra.event_log.log import EventLog
from infra.event_log.migrations import migrate
from infra.event_log.replies import keep_pruning
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from infra.first_operator import ensure_first_operator
from infra.health import Check, health_routes
from infra.keys import PersonalKeys, migrate_keys
from infra.settings import Settings, new_secret
from infra.shipping import TableShipping
from infra.tax import TableTax
from infra.tokens import Argon2Passwords, SigningKeys, Tokens, new_key_set
from projections.consumer import Consumer, Status, Stopped
from projections.models import MODELS
from projections.schema import prepare
from projections.users.blocked import Blocked
from projections.waiting import Watch
from read_api.app import Allowance, GraphQLApp
from read_api.cursor import Cursors
from read_api.schema import make_schema

CONTEXTS: Final[tuple[Context, ...]] = (users.CONTEXT, products.CONTEXT, orders.CONTEXT, payments.CONTEXT)

SECRETS: Final[dict[str, Callable[[], str]]] = {
    "master_key": new_secret,
    "claim_secret": new_secret,
    "cursor_secret": new_secret,
    "token_keys": new_key_set,
    "operator_password": partial(token_urlsafe, 12),
}
"""The settings that an installation without secrets of its own makes for itself, and how."""


@dataclass(frozen=True, slots=True)
class System:
    """Everything in one process. `pages` are the addresses worth telling a person, by what is there."""

    app: Starlette
    loops: Mapping[str, WriteLoop]
    services: Services
    tokens: Tokens
    pages: Mapping[str, str]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[System]:
    """The whole system on the databases of `settings`; at the end everything is stopped in reverse order."""
    async with AsyncExitStack() as stack:
        databases = Databases(settings, [context.name for context in CONTEXTS])
        await migrated(databases)
        await stack.enter_async_context(databases)
        keys = PersonalKeys(databases.pool(users.CONTEXT.name), settings.master_key_bytes())
        wakeups = await woken(databases, stack)
        loops = await write_side(settings, databases, keys, wakeups, stack)
        feeds = {c.name: StoreFeed(databases.pool(c.name), c.name, keys, wakeups[c.name]) for c in CONTEXTS}
        watch = Watch(databases.pool(READS))
        consumers = read_side(databases, feeds, watch, stack)
        tokens = tokens_of(settings, databases, stack)
        services = services_of(settings, keys, loops, wakeups, tokens, stack)
        checks = databases.checks() | {consumer.name: following(consumer) for consumer in consumers}
        api = await command_api(settings, loops, feeds, services, tokens)
        more = [graphql(settings, databases, watch, tokens), *health_routes(checks)]
        served = app(api, ROUTES, RESOURCES, jwks=tokens.public_keys, more=more)
        await first_operator(settings, loops, services)
        yield System(served, loops, services, tokens, PAGES)


PAGES: Final = {"command API": "/docs", "GraphQL": "/graphql", "health": "/readyz"}


def handlers(settings: Settings) -> dict[str, Handlers]:
    policy = Policy(session_lasts=timedelta(days=settings.session_days))
    return HANDLERS | {users.CONTEXT.name: user_handlers(policy=policy)}


def tokens_of(settings: Settings, databases: Databases, stack: AsyncExitStack) -> Tokens:
    life = settings.token_access_seconds
    blocked = Blocked(databases.pool(READS), timedelta(seconds=life))
    background(blocked.run(), stack)
    keys = SigningKeys(settings.token_keys.get_secret_value())
    return Tokens(keys, issuer=settings.token_issuer, seconds=life, blocked=blocked.__contains__)


async def command_api(
    settings: Settings,
    loops: Mapping[str, WriteLoop],
    feeds: Mapping[str, StoreFeed],
    services: Services,
    tokens: Tokens,
) -> CommandApi:
    incarnations = {name: (await feed.read(0, 0)).incarnation for name, feed in feeds.items()}
    table, limit = Table(ROUTES, RESOURCES), settings.max_body_bytes
    return CommandApi(table, loops, incarnations, services, tokens.authenticate, body_limit=limit)


async def first_operator(settings: Settings, loops: Mapping[str, WriteLoop], services: Services) -> None:
    if settings.operator_password:
        password = settings.operator_password.get_secret_value()
        await ensure_first_operator(loops[users.CONTEXT.name], services, settings.operator_email, password)


def graphql(settings: Settings, databases: Databases, watch: Watch, tokens: Tokens) -> Route:
    served = GraphQLApp(
        make_schema(),
        databases.pool(READS),
        watch,
        tokens.authenticate,
        Cursors(settings.cursor_secret.get_secret_value()),
        allowance=Allowance(body=settings.max_query_bytes, waiting=settings.consistency_seconds),
        graphiql=settings.graphiql,
    )
    return Route("/graphql", served)


async def migrated(databases: Databases) -> None:
    """Every schema as this release wants it; safe in many processes at once."""
    for conninfo, names in databases.by_conninfo(c.name for c in CONTEXTS).items():
        await migrate(conninfo, names)
    async with await AsyncConnection.connect(databases.conninfo(users.CONTEXT.name), autocommit=True) as connection:
        await migrate_keys(connection)
    await prepare(databases.conninfo(READS), MODELS)


async def woken(databases: Databases, stack: AsyncExitStack) -> dict[str, Wakeups]:
    """By context; contexts of one database share one."""
    wakeups: dict[str, Wakeups] = {}
    for conninfo, names in databases.by_conninfo(c.name for c in CONTEXTS).items():
        shared = Wakeups(conninfo, databases.pool(names[0]), names)
        shared.open()
        stack.push_async_callback(shared.close)
        wakeups |= dict.fromkeys(names, shared)
    return wakeups


async def write_side(
    settings: Settings,
    databases: Databases,
    keys: PersonalKeys,
    wakeups: Mapping[str, Wakeups],
    stack: AsyncExitStack,
) -> dict[str, WriteLoop]:
    loops = {}
    decided_by = handlers(settings)
    for context in CONTEXTS:
        log = EventLog(databases.conninfo(context.name), databases.pool(context.name), context, keys)
        await log.open()
        stack.push_async_callback(log.close)
        log.on_written(partial(wakeups[context.name].written, context.name))
        loops[context.name] = loop = WriteLoop(context, decided_by.get(context.name, {}), log)
        stack.push_async_callback(loop.close)
        background(keep_pruning(databases.pool(context.name), context.name), stack)
    return loops


def read_side(
    databases: Databases, feeds: Mapping[str, StoreFeed], watch: Watch, stack: AsyncExitStack
) -> list[Consumer]:
    """Every read model, followed from here."""
    pool = databases.pool(READS)
    consumers = [
        Consumer(model, feeds[context], pool, moved=watch.moved) for model in MODELS for context in model.contexts
    ]
    for consumer in consumers:
        background(consumer.run(), stack)
    return consumers


def background(work: Coroutine[Any, Any, None], stack: AsyncExitStack) -> None:
    """Runs until the stack is left."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.wait({task})

    stack.push_async_callback(end)


def services_of(
    settings: Settings,
    keys: PersonalKeys,
    loops: Mapping[str, WriteLoop],
    wakeups: Mapping[str, Wakeups],
    tokens: Tokens,
    stack: AsyncExitStack,
) -> Services:
    sold = products.CONTEXT.name
    passwords = Argon2Passwords(settings.hash_threads)
    stack.callback(passwords.close)
    return Services(
        keys=keys,
        passwords=passwords,
        claims=HiddenClaims(settings.claim_secret.get_secret_value()),
        tokens=tokens,
        states=Loops(loops),
        catalogue=LogCatalogue(loops[sold].states, partial(wakeups[sold].head, sold)),
        shipping=TableShipping(settings.home_country),
        tax=TableTax(settings.home_country),
    )


def following(consumer: Consumer) -> Check:
    """A read model that has stopped makes the process unfit to serve; one that is behind does not."""

    async def check() -> None:
        if consumer.health.status is Status.STOPPED:
            raise Stopped(consumer.health.reason or "")

    return check
