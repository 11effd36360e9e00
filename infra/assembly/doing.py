"""To-dos: the consumers that take note of what events ask for, and the worker that does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from commands.services import Services
from domain import operations, payments, users
from domain import sagas as sagas_context
from domain.operations.kinds import OperationKind
from infra.assembly import telling
from infra.assembly.erasures import sweeper
from infra.assembly.ground import Ground
from infra.assembly.orchestrating import commands_of, saga_sink
from infra.assembly.replaying import replays
from infra.assembly.working import at_work, unfit
from infra.assembly.writing import WriteLoops
from infra.databases import READS
from infra.erasure import erase_user
from infra.erasure_list import ErasureList
from infra.keys import keep_dropping_orphans
from infra.operations import Executor, already_done, operation_kind
from infra.parked import Park, parked_executors
from infra.paying import gateway_kind
from infra.payment_looks import look_kind
from infra.replaying import ReplayExecutors
from infra.rules import RULES
from infra.telemetry.probes import todos
from projections.alarm import Alarm
from projections.asking import CONSUMER as TODO
from projections.asking import TodoSink, begin
from projections.consumer import Consumer
from projections.doing import Kind, Worker
from projections.models import MODELS
from projections.pool import connected
from projections.todo import CHANNEL
from sagas import dispatching
from sagas.orchestrator import CONSUMER as SAGAS
from sagas.orchestrator import contexts as listened_to
from sagas.processes import PROCESSES


async def begun(ground: Ground) -> None:
    """Where nothing has taken note of events yet, it begins with those that come from now on.

    Every process that records what is to be done sees to this before its first event.
    """
    for context in RULES:
        await _begun(ground, TODO, context)
    for context in listened_to(PROCESSES):
        await _begun(ground, SAGAS, context)


async def _begun(ground: Ground, consumer: str, context: str) -> None:
    incarnation, head = await ground.readers[context].head()
    async with connected(ground.databases.pool(READS)) as connection:
        await begin(connection, context, incarnation, head, consumer)


def todo(ground: Ground, loops: WriteLoops, used: Services) -> None:
    pool = ground.databases.pool(READS)
    consumers = [Consumer(TodoSink(context, rules), ground.feeds[context], pool) for context, rules in RULES.items()]
    for consumer in consumers:
        ground.background(consumer.run())
    alarm = Alarm(ground.databases.conninfo(READS), CHANNEL)
    worker = Worker(pool, alarm, kinds(ground, loops, used), at_once=ground.settings.todo_at_once)
    ground.background(worker.run())
    ground.background(keep_dropping_orphans(ground.keys))
    ground.checks["to-do"] = at_work(lambda: consumers, unfit(ground))
    ground.telemetry.metrics.probe("to-dos", todos(pool))


def kinds(ground: Ground, loops: WriteLoops, used: Services) -> Iterator[Kind]:
    yield from dispatching.kinds(loops[sagas_context.CONTEXT.name], commands_of(ground, loops, used))
    yield operation_kind(loops[operations.CONTEXT.name], executors(ground, loops))
    yield from telling.kinds(ground, loops)
    path = ground.settings.erasure_list
    lists = [ErasureList(path)] if path else []
    yield from paying(ground, loops)
    yield erase_user(loops[users.CONTEXT.name], ground.keys, sweeper(ground), lists)


def paying(ground: Ground, loops: WriteLoops) -> Iterator[Kind]:
    """A gateway may hang: half of the room is left to the others."""
    name = payments.CONTEXT.name
    room = max(1, ground.settings.todo_at_once // 2)
    yield gateway_kind(loops[name], ground.readers[name], ground.gateway, at_once=room)
    yield look_kind(loops[name], ground.gateway, at_once=max(1, room // 2))


def executors(ground: Ground, loops: WriteLoops) -> Mapping[str, Executor]:
    park = Park(ground.databases.pool(READS), MODELS, RULES, ground.readers, [saga_sink(loops)])
    recorded: dict[str, Executor] = {OperationKind.PERSONAL_SHOW: already_done}
    return {**recorded, **parked_executors(park), **ReplayExecutors(replays(ground)).by_kind}
