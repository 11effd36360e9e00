"""Logs of a shop with ten thousand sagas: a few that really happened, told of many orders, and what goes wrong."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any, Final
from uuid import UUID

import psycopg

from bench.retelling import Retelling
from bench.stories import CONTEXTS, Story, Told
from domain.actor import Actor, Role
from domain.event import Event
from domain.ids import OrderId, UserId, new_id
from domain.operations.events import (
    ActionDenied,
    OperationCompleted,
    OperationFailed,
    OperationRequested,
    OperationWithoutEffect,
)
from domain.sagas.events import ActionTaken, Course, InputReceived, OperatorNeeded, SagaParked
from infra.event_log.mapper import EventMapper

LONG: Final = 2_000  # events of one saga
OPERATIONS: Final = 3_000
UNREADABLE: Final = 200
"""Orders with an event that no release of ours can read: whatever follows them is parked there."""
WITH_ORDERS: Final = 0.1
"""Of so many sagas the order, its payment and its mails are told as well: they are what else a page asks for."""
UNDER_WAY: Final = 200
"""Sagas whose rest is kept back, to be told while somebody looks."""
DAYS: Final = timedelta(days=3)  # over which all of it happened
OLDER: Final = timedelta(days=4)  # what really happened is put so far back, so that positions are in the order of time

COPY: Final = """
COPY {}.stored_events (originator_id, originator_version, topic, state, event_id, recorded_at, correlation_id,
    causation_id, actor, notification_id) FROM STDIN
"""
HEAD: Final = "SELECT coalesce(max(notification_id), 0) FROM {}.stored_events"
PUT_BACK: Final = "UPDATE {}.stored_events SET recorded_at = recorded_at - %s"
SHARED: Final = """
SELECT originator_id FROM users.stored_events
UNION SELECT originator_id FROM products.stored_events WHERE topic NOT LIKE 'products.reservation%%'
"""
"""People, and goods with their stock."""


@dataclass(frozen=True, slots=True)
class Kind:
    """So many of a hundred sagas; `cut` are versions between two appends, at one of which it stands."""

    name: str
    story: Story
    share: float
    youngest: timedelta
    oldest: timedelta
    cut: Sequence[int] = ()
    sagas: int = 1


@dataclass(frozen=True, slots=True)
class Shop:
    """What a page is asked about."""

    logs: Mapping[str, Sequence[Told]]
    rest: Sequence[Sequence[Sequence[Told]]]
    """Of each saga under way what is still to come, in the pieces in which it was appended."""
    under_way: Sequence[UUID]
    stuck: UUID
    done: UUID
    long: UUID
    long_order: OrderId


def kinds(stories: Mapping[str, Story], mapper: EventMapper) -> list[Kind]:
    done, rejected = stories["done"], stories["rejected"]
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    failed = with_last(rejected.until(13), mapper, OperatorNeeded, step="put the goods back", course=Course.BACK,
                       code="NOT_ALLOWED_NOW", detail="the reservation was committed meanwhile")  # fmt: skip
    broken = with_last(done.until(10), mapper, SagaParked, input_id=new_id(), error="KeyError: 'amount'")
    return [
        Kind("done", done, 75.0, 2 * minute, DAYS),
        Kind("rejected", rejected, 8.0, 2 * minute, DAYS),
        Kind("cancelled", stories["cancelled"], 8.0, 2 * minute, DAYS, sagas=2),
        Kind("waiting", stories["waiting"], 5.0, minute / 2, 25 * minute),
        Kind("compensating", rejected, 2.0, minute / 4, minute, stops(rejected)[3:]),
        Kind("stuck", stories["stuck"], 1.2, 10 * minute, 48 * hour),
        Kind("compensation failed", failed, 0.5, 10 * minute, 48 * hour),
        Kind("parked", broken, 0.3, 10 * minute, 24 * hour),
    ]


def stops(story: Story) -> list[int]:
    """Versions at which an append ended."""
    events = story.of_saga()
    return [each.version for each, after in pairwise(events) if after.topic == InputReceived.TOPIC]


def with_last(story: Story, mapper: EventMapper, event: type[Event], **fields: Any) -> Story:
    """What a saga comes to when its rules or the shop fail it."""
    before = story.of_saga()[-1]
    version = before.version + 1
    last = event(originator_id=story.saga, originator_version=version, timestamp=before.recorded_at, **fields)
    told = before._replace(version=version, topic=event.TOPIC, state=mapper.encode(last), event_id=new_id())
    return Story(story.order, [*story.events, told])


class Teller:
    def __init__(self, stories: Mapping[str, Story], shared: Collection[UUID], mapper: EventMapper, now: datetime,
                 dice: random.Random) -> None:  # fmt: skip
        self._stories = stories
        self._shared = shared
        self._mapper = mapper
        self._now = now
        self._dice = dice
        self._told: list[Told] = []
        self._examples: dict[str, UUID] = {}

    def shop(self, count: int, operator: UserId) -> Shop:
        rest = [self._begin() for _ in range(UNDER_WAY)]
        long = self._long()
        every = kinds(self._stories, self._mapper)
        left = count - UNDER_WAY - 1 - sum(self._tell(kind) for kind in every)
        while left > 0:
            left -= self._tell(self._dice.choices(every, [kind.share for kind in every])[0])
        logs: dict[str, list[Told]] = {name: [] for name in CONTEXTS}
        for each in self._told:
            logs[each.context].append(each)
        logs["operations"] = list(operations(operator, self._now, self._mapper, self._dice))
        spoil(logs["orders"], self._dice)
        return Shop(
            {name: sorted(events, key=lambda each: each.recorded_at) for name, events in logs.items()},
            [pieces for _, pieces in rest],
            [saga for saga, _ in rest],
            stuck=self._examples["stuck"],
            done=self._examples["done"],
            long=long.id(self._stories["stuck"].saga),
            long_order=long.order,
        )

    def _tell(self, kind: Kind) -> int:
        """How many sagas that are."""
        age = kind.youngest + (kind.oldest - kind.youngest) * self._dice.random()
        told = self._retelling(kind.story, self._now - age, self._dice.uniform(1, 20))
        story = kind.story.until(self._dice.choice(kind.cut)) if kind.cut else kind.story
        whole = self._dice.random() < WITH_ORDERS or kind.name not in self._examples
        self._told += told.told([each for each in story.events if whole or each.context == "sagas"])
        self._examples.setdefault(kind.name, told.id(kind.story.saga))
        return kind.sagas

    def _begin(self) -> tuple[UUID, list[list[Told]]]:
        """One that stands somewhere, and its rest in pieces."""
        story, begun = self._stories["done"], self._now - timedelta(seconds=self._dice.uniform(20, 60))
        told, at = self._retelling(story, begun, self._dice.uniform(1, 20)), self._dice.choice(stops(story)[:5])
        self._told += told.told(story.until(at).events)
        pieces = groupby(story.after(at).events, lambda each: sum(each.version > stop for stop in stops(story))
                         if each.context == "sagas" else -1)  # fmt: skip
        return told.id(story.saga), [list(told.told(list(piece))) for _, piece in pieces]

    def _long(self) -> Retelling:
        """Tried again and again, every six minutes for two days."""
        whole = self._stories["stuck"]
        story = whole.until(max(each.version for each in whole.of_saga() if each.topic == OperatorNeeded.TOPIC))
        *_, last = (each for each in story.of_saga() if each.topic == ActionTaken.TOPIC)
        once = [each for each in story.events if each.recorded_at >= last.recorded_at]
        own = sum(each.id == story.saga for each in once)
        told = self._retelling(story, self._now - timedelta(hours=52), 1.0)
        self._told += told.told([each for each in story.events if each.recorded_at < last.recorded_at])
        self._told += told.again(once, (LONG - last.version) // own + 1, timedelta(minutes=6))
        return told

    def _retelling(self, story: Story, begins: datetime, stretch: float) -> Retelling:
        return Retelling(story, OrderId(new_id()), begins, stretch, self._shared, self._mapper)


def spoil(orders: list[Told], dice: random.Random) -> None:
    """Two causes: an event of a type that nobody knows, and one whose time is none."""
    again = [n for n, each in enumerate(orders) if each.version == 2]
    for number, at in enumerate(dice.sample(again, min(UNREADABLE, len(again) // 4))):
        bad = {"topic": "orders.order-gift-wrapped"} if number % 2 else {"state": b'{"timestamp":"yesterday"}'}
        orders[at] = orders[at]._replace(**bad)


def operations(operator: UserId, now: datetime, mapper: EventMapper, dice: random.Random) -> Iterator[Told]:
    """What operators did, and what somebody was refused."""
    for number in range(OPERATIONS):
        id, at = new_id(), now - OLDER / 2 * (number + 1) / (OPERATIONS + 1)
        kind = dice.choice(["parked.retry", "replay.compare", "personal.show", "todo.retry", "verify.repair"])
        first: dict[str, Any] = {"originator_id": id, "originator_version": 1, "timestamp": at, "by": operator}
        first |= {"target": str(new_id())}
        then: dict[str, Any] = {"originator_id": id, "originator_version": 2, "timestamp": at + timedelta(seconds=2)}
        end = dice.random()
        if end < 0.2:
            yield operated(ActionDenied(**first, action="saga.retry", why="needs the scope sagas:act"), mapper, at)
            continue
        asked = OperationRequested(**first, kind=kind, parameters={}, reason="the gateway is well again")
        yield operated(asked, mapper, at)
        if end < 0.9:
            yield operated(OperationCompleted(**then, result={"applied": 3}), mapper, at)
        elif end < 0.96:
            yield operated(OperationWithoutEffect(**then, why="nothing is parked there any more"), mapper, at)
        else:
            yield operated(OperationFailed(**then, error="ZeroDivisionError at version 3"), mapper, at)


def operated(event: Event, mapper: EventMapper, at: datetime) -> Told:
    by = getattr(event, "by", None)
    actor = str(Actor(by, frozenset({Role.OPERATOR}))) if by else "service:operations"
    place = ("operations", event.originator_id, event.originator_version, event.TOPIC, mapper.encode(event))
    return Told(*place, new_id(), at, str(event.originator_id), None, actor)


# -- into the logs -----------------------------------------------------------------------------------------------------


def put_back(conninfo: str, contexts: Iterable[str]) -> None:
    with psycopg.connect(conninfo) as connection:
        for name in contexts:
            connection.execute(PUT_BACK.format(name).encode(), [OLDER])


def shared(conninfo: str) -> set[UUID]:
    with psycopg.connect(conninfo) as connection:
        return {id for (id,) in connection.execute(SHARED.replace("%%", "%").encode()).fetchall()}


def write(conninfo: str, logs: Mapping[str, Sequence[Told]]) -> Counter[str]:
    """Behind what is in them; how many events of each."""
    with psycopg.connect(conninfo) as connection:
        for name, events in logs.items():
            (head,) = connection.execute(HEAD.format(name).encode()).fetchone() or (0,)
            with connection.cursor().copy(COPY.format(name).encode()) as copy:
                for position, each in enumerate(events, head + 1):
                    copy.write_row((*each[1:5], *each[5:], position))
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for name in logs:
            connection.execute(f"VACUUM (ANALYZE) {name}.stored_events".encode())
    return Counter({name: len(events) for name, events in logs.items()})
