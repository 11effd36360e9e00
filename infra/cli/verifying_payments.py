"""Compares payments with the gateway and with orders, for whoever sits at the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from commands.loop import WriteLoop
from commands.payments.gateway import Gateway
from commands.router import HANDLERS
from domain import orders, payments
from domain.aggregate import Context
from domain.operations.kinds import OperationKind
from infra.cli.databases import opened
from infra.cli.operating import operating
from infra.cli.verifying import SOUND, WRONG, Check, shown
from infra.databases import Databases
from infra.event_log.log import EventLog
from infra.keys import PersonalKeys
from infra.settings import Settings
from infra.verify.payments import PaymentCheck
from infra.verify.recording import recording

EVER = datetime(1970, 1, 2, tzinfo=UTC)


async def verify_payments(
    settings: Settings, days: int | None, *, repair: str | None, as_json: bool, gateway: Gateway | None = None
) -> int:
    """The exit code. `repair` is the reason for recording what the gateway knows and we do not; None looks only."""
    if repair is None:
        wrong, _ = await shown(checks(settings, days, gateway, repair=False), as_json=as_json)
        return WRONG if wrong else SOUND
    async with (
        operating(settings) as operations,
        operations.carried_out(OperationKind.VERIFY_REPAIR, "payments", {"days": days}, repair) as result,
    ):
        wrong, repaired = await shown(checks(settings, days, gateway, repair=True), as_json=as_json)
        result |= {"repaired": repaired, "wrong": wrong}
    return WRONG if wrong else SOUND


async def checks(settings: Settings, days: int | None, given: Gateway | None, *, repair: bool) -> AsyncIterator[Check]:
    since = EVER if days is None else datetime.now(UTC) - timedelta(days=days)
    ours, others = payments.CONTEXT, orders.CONTEXT
    names = [ours.name, others.name]
    async with (
        opened(settings, [*names, "users"], reads=False) as databases,
        looked_into(settings, databases, ours) as paid,
        looked_into(settings, databases, others) as ordered,
        asked(settings, given) as gateway,
    ):
        pools = {name: databases.pool(name) for name in names}
        record = recording(paid, gateway.name) if repair else None
        yield PaymentCheck(pools, paid, ordered, gateway, since, record=record)


@asynccontextmanager
async def looked_into(settings: Settings, databases: Databases, context: Context) -> AsyncIterator[WriteLoop]:
    keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
    async with AsyncExitStack() as stack:
        log = EventLog(databases.conninfo(context.name), databases.pool(context.name), context, keys)
        await log.open()
        stack.push_async_callback(log.close)
        loop = WriteLoop(context, HANDLERS[context.name], log)
        stack.push_async_callback(loop.close)
        yield loop


@asynccontextmanager
async def asked(settings: Settings, given: Gateway | None) -> AsyncIterator[Gateway]:
    if given is not None:
        yield given
        return
    from infra.gateway.chosen import gateway

    made = gateway(settings)
    try:
        yield made
    finally:
        await made.close()
