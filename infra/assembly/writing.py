"""The write loops of a process, the command API on them, and what its routes use around them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from commands.handler import Handlers
from commands.http import CommandApi
from commands.loop import WriteLoop
from commands.payments.webhooks import Webhooks
from commands.router import HANDLERS, RESOURCES, ROUTES
from commands.sagas.handlers import handlers as saga_handlers
from commands.services import Loops, Services
from commands.table import Table
from commands.users.handlers import handlers as user_handlers
from commands.users.mailed_links import MailedLinks
from domain import orders, payments, products, users
from domain import sagas as sagas_context
from domain.users.credentials import Policy
from infra.assembly.ground import Ground
from infra.catalogue import LogCatalogue
from infra.claims import HiddenClaims
from infra.event_log.log import EventLog
from infra.event_log.replies import keep_pruning
from infra.first_operator import ensure_first_operator
from infra.placed_orders import LogPlacedOrders
from infra.settings import Settings
from infra.settling import Settling
from infra.shipping import TableShipping
from infra.tax import TableTax
from infra.telemetry.probes import queues
from infra.telemetry.writing import CountedLoop, TimedLog
from infra.tokens import Argon2Passwords, Tokens
from sagas.engine import Engine
from sagas.processes import PROCESSES

WriteLoops = Mapping[str, WriteLoop]
"""By context."""


async def write_loops(ground: Ground) -> dict[str, WriteLoop]:
    loops = {}
    decided_by = handlers(ground.settings)
    for context in ground.contexts:
        pool = ground.databases.pool(context.name)
        log = EventLog(ground.databases.conninfo(context.name), pool, context, ground.keys)
        await log.open()
        ground.stack.push_async_callback(log.close)
        log.on_written(partial(ground.wakeups[context.name].written, context.name))
        timed = TimedLog(context.name, log, ground.telemetry.metrics, ground.telemetry.tracing)
        loops[context.name] = loop = WriteLoop(context, decided_by.get(context.name, {}), timed)
        ground.stack.push_async_callback(loop.close)
        ground.background(keep_pruning(pool, context.name))
    ground.telemetry.metrics.probe("write queues", queues(loops))
    return loops


def handlers(settings: Settings) -> dict[str, Handlers]:
    policy = Policy(session_lasts=timedelta(days=settings.session_days))
    own = user_handlers(
        activated=not settings.activation_by_mail, policy=policy, reset_hash=MailedLinks(claims(settings)).reset_hash
    )
    return HANDLERS | {users.CONTEXT.name: own, sagas_context.CONTEXT.name: saga_handlers(Engine(PROCESSES))}


def claims(settings: Settings) -> HiddenClaims:
    return HiddenClaims(settings.claim_secret.get_secret_value())


def services(ground: Ground, loops: WriteLoops, tokens: Tokens) -> Services:
    settings, sold = ground.settings, products.CONTEXT.name
    passwords = Argon2Passwords(settings.hash_threads)
    ground.stack.callback(passwords.close)
    return Services(
        keys=ground.keys,
        passwords=passwords,
        claims=claims(settings),
        tokens=tokens,
        states=Loops(loops),
        catalogue=LogCatalogue(loops[sold].states, partial(ground.wakeups[sold].head, sold)),
        shipping=TableShipping(settings.home_country),
        tax=TableTax(settings.home_country),
        placed_orders=LogPlacedOrders(ground.readers[orders.CONTEXT.name]),
        settled=Settling(Loops(loops), ground.wakeups, ground.stopping),
        channels=settings.channels,
    )


async def command_api(ground: Ground, loops: WriteLoops, tokens: Tokens, used: Services) -> CommandApi:
    """With somebody in charge: the first operator is there before the first request."""
    await first_operator(ground.settings, loops, used)
    incarnations = {name: (await reader.head())[0] for name, reader in ground.readers.items()}
    limit = ground.settings.max_body_bytes
    counted = {name: CountedLoop(name, loop, ground.telemetry.metrics) for name, loop in loops.items()}
    return CommandApi(
        Table(ROUTES, RESOURCES),
        counted,
        incarnations,
        used,
        tokens.authenticate,
        body_limit=limit,
        limiter=ground.limiter,
        longest_wait=ground.settings.prefer_wait_seconds,
    )


def hooks(ground: Ground, loops: WriteLoops) -> Webhooks:
    """What the gateway tells by itself."""
    name, metrics, gateway = payments.CONTEXT.name, ground.telemetry.metrics, ground.gateway

    def count(gateway: str, outcome: str) -> None:
        metrics.webhooks.labels(gateway, outcome).inc()

    counted = CountedLoop(name, loops[name], metrics)
    return Webhooks({gateway.name: gateway}, counted, count, body_limit=ground.settings.max_body_bytes)


async def first_operator(settings: Settings, loops: WriteLoops, used: Services) -> None:
    if settings.operator_password:
        password = settings.operator_password.get_secret_value()
        await ensure_first_operator(loops[users.CONTEXT.name], used, settings.operator_email, password)
