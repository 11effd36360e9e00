"""Two write loops on one log under random commands, cut connections, reused keys and callers that give up.

What is stored must be what some order of the commands, one at a time, would have left, and what was answered must be
that.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic_core import from_json

from bench.counter import BelowZero, CountUp, Move
from bench.server import counter_loop
from commands.log import Unavailable
from commands.loop import WriteLoop
from commands.message import Command
from commands.reply import Envelope, Key, KeyReused, Reply
from domain.actor import ANONYMOUS
from domain.errors import StaleVersion
from domain.ids import slice_of
from tests.full import randomness, size

CALLERS = 16
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s"


@dataclass(frozen=True)
class Asked:
    """One command; sent again with its key it is the same one. `name` is its correlation id."""

    name: str
    command: Command
    key: Key | None
    expected: int | None

    def envelope(self) -> Envelope:
        return Envelope(self.command, self.name, key=self.key, expected_version=self.expected, deadline=60)

    @property
    def amounts(self) -> dict[UUID, int]:
        """What it adds to which counter, if it is carried out."""
        if isinstance(self.command, Move):
            return dict.fromkeys(self.command.sources, -1) | {self.command.target: len(self.command.sources)}
        assert isinstance(self.command, CountUp)
        return {self.command.target: self.command.amount}


@dataclass(frozen=True)
class Stored:
    position: int
    id: UUID
    version: int
    by: int
    name: str


@dataclass
class World:
    dice: random.Random
    counters: list[UUID]
    asked: dict[str, Asked] = field(default_factory=dict)
    replies: defaultdict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    order: list[list[Reply]] = field(default_factory=list)  # of each caller, what it was answered one after another
    running: int = CALLERS

    def new(self) -> Asked:
        dice, name = self.dice, str(len(self.asked))
        target, *sources = dice.sample(self.counters, dice.randint(2, 4))
        kinds: list[Command] = [CountUp(amount=dice.choice([1, 1, 2, 3, -1])), Move(sources=tuple(sources))]
        command = dice.choice(kinds).bind(by=ANONYMOUS, target=target)
        key = self.key() if dice.random() < 0.5 else None
        expected = dice.randint(1, 30) if dice.random() < 0.1 else None
        asked = self.asked[name] = Asked(name, command, key, expected)
        return asked

    def key(self) -> Key:
        """Mostly a new one; now and then one that another command has: the same key with another body."""
        used = [asked.key.id for asked in self.asked.values() if asked.key]
        id = self.dice.choice(used) if used and self.dice.random() < 0.1 else UUID(int=self.dice.getrandbits(128))
        return Key(id, self.dice.randbytes(8), datetime.now(UTC) + timedelta(days=7))

    def next(self) -> Asked:
        repeat = self.asked and self.dice.random() < 0.3
        known = [asked for asked in list(self.asked.values())[-60:] if asked.key] if repeat else []
        return self.dice.choice(known) if known else self.new()

    def with_key(self) -> dict[UUID, list[Asked]]:
        keyed = defaultdict(list)
        for asked in self.asked.values():
            if asked.key:
                keyed[asked.key.id].append(asked)
        return keyed


async def caller(world: World, loops: list[WriteLoop], commands: int) -> None:
    mine: list[Reply] = []
    world.order.append(mine)
    for _ in range(commands):
        asked = world.next()
        task = asyncio.create_task(world.dice.choice(loops).submit(asked.envelope()))
        if world.dice.random() < 0.05:
            await asyncio.sleep(world.dice.random() * 0.005)
            task.cancel()
        try:
            reply = await task
        except (asyncio.CancelledError, Unavailable):
            continue  # it gave up; or the key of a refusal that is not kept could not be looked up
        world.replies[asked.name].append(reply)
        mine.append(reply)
    world.running -= 1


async def cutter(world: World, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        while world.running:
            await asyncio.sleep(world.dice.random() * 0.1)
            everything = world.dice.random() < 0.2  # the connections of the pools too
            pattern = "%" if everything else "%counters.append%"
            connection.execute(f"{CUT} AND pid <> pg_backend_pid()", [pattern])


def stored(database: str) -> list[Stored]:
    query = (
        "SELECT notification_id, originator_id, originator_version, state, correlation_id"
        " FROM counters.stored_events ORDER BY notification_id"
    )
    with psycopg.connect(database) as connection:
        rows = connection.execute(query).fetchall()
    return [Stored(position, id, version, from_json(state)["by"], name) for position, id, version, state, name in rows]


@pytest.mark.full("loop")
@pytest.mark.timeout(900)
async def test_whatever_happens_it_is_as_if_commands_came_one_at_a_time(database: str):
    dice = randomness()
    world = World(dice, [UUID(int=dice.getrandbits(128)) for _ in range(8)])
    async with counter_loop(database) as one, counter_loop(database) as other:
        callers = [caller(world, [one, other], size(60, 600)) for _ in range(CALLERS)]
        await asyncio.gather(*callers, cutter(world, database))
        await repeated(world, [one, other])
        events = stored(database)
        await states_are_right([one, other], world, events)
    positions_and_versions_have_no_gaps(events)
    nothing_went_below_zero(events)
    each_command_is_there_once_and_whole(world, events)
    replies_say_what_is_stored(world, events)
    a_key_has_one_reply(world)
    replies_are_in_the_order_they_were_given(world)
    assert len(events) > 100
    assert any(reply.replayed for replies in world.replies.values() for reply in replies)


async def repeated(world: World, loops: list[WriteLoop]) -> None:
    """Once more all that have a key."""
    for asked in [asked for asked in world.asked.values() if asked.key]:
        world.replies[asked.name].append(await again(world, loops, asked))


async def again(world: World, loops: list[WriteLoop], asked: Asked) -> Reply:
    while True:
        try:
            return await world.dice.choice(loops).submit(asked.envelope())
        except Unavailable:  # a connection of the pool that was cut
            continue


async def states_are_right(loops: list[WriteLoop], world: World, events: list[Stored]) -> None:
    for loop in loops:
        states = await loop.states(world.counters)
        for id in world.counters:
            state: Any = states.get(id)
            assert (state.total if state else 0) == sum(event.by for event in events if event.id == id)
            known: Any = loop._known.get(id, None)  # what it will decide on next
            assert known is None or (known.version, known.total) == (state.version, state.total)


def positions_and_versions_have_no_gaps(events: list[Stored]) -> None:
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    versions = defaultdict(list)
    for event in events:
        versions[event.id].append(event.version)
    for of_one in versions.values():
        assert of_one == list(range(1, len(of_one) + 1))


def nothing_went_below_zero(events: list[Stored]) -> None:
    totals: defaultdict[UUID, int] = defaultdict(int)
    for event in events:
        totals[event.id] += event.by
        assert totals[event.id] >= 0


def by_name(events: Iterable[Stored]) -> dict[str, list[Stored]]:
    grouped = defaultdict(list)
    for event in events:
        grouped[event.name].append(event)
    return grouped


def each_command_is_there_once_and_whole(world: World, events: list[Stored]) -> None:
    for name, written in by_name(events).items():
        assert {event.id: event.by for event in written} == world.asked[name].amounts
        assert len(written) == len(world.asked[name].amounts)
        assert [event.position for event in written] == list(range(written[0].position, written[-1].position + 1))


def replies_say_what_is_stored(world: World, events: list[Stored]) -> None:
    written = by_name(events)
    for name, replies in world.replies.items():
        target = world.asked[name].command.target
        for reply in replies:
            if reply.refusal is None:
                assert reply.result().version == next(e.version for e in written[name] if e.id == target)
                assert dict(reply.positions) == {slice_of(e.id): e.position for e in written[name]}
            else:
                assert isinstance(reply.refusal, BelowZero | StaleVersion | KeyReused)
                assert reply.positions == ()
        if all(isinstance(reply.refusal, BelowZero | KeyReused) for reply in replies):
            assert name not in written


def a_key_has_one_reply(world: World) -> None:
    """Of the commands that share a key one has replies, always the same; the others are told that the key was used."""
    for sharing in world.with_key().values():
        kept = {asked.name for asked in sharing if any(final(reply) for reply in world.replies[asked.name])}
        assert len(kept) <= 1
        for name in kept:
            replies = world.replies[name]
            assert len({outcome(reply) for reply in replies if final(reply)}) == 1
            assert final(replies[-1])  # kept, so it is the answer from then on
        for name in {asked.name for asked in sharing} - kept:
            assert all(isinstance(reply.refusal, KeyReused | StaleVersion) for reply in world.replies[name])


def final(reply: Reply) -> bool:
    return reply.refusal is None or reply.refusal.final


def outcome(reply: Reply) -> tuple[object, ...]:
    refused = (reply.refusal.code, reply.refusal.detail) if reply.refusal else None
    return (reply.answer, refused, reply.positions)


def replies_are_in_the_order_they_were_given(world: World) -> None:
    """A command sent after the reply to another one comes after it in the log."""
    for mine in world.order:
        new = [
            max(position for _, position in reply.positions) for reply in mine if reply.positions and not reply.replayed
        ]
        assert all(earlier < later for earlier, later in pairwise(new))
