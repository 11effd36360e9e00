"""Reading the log: stretches, parts and streams of it, and what cannot be decoded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool
from pydantic import ValidationError

from domain.event import Event
from domain.ids import SLICES, slice_of
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.keys import KeyNotLoaded, UnknownKey
from projections.feed import Recorded, Unreadable
from tests.domain.orders.samples import cancel_pending, confirmed, placed
from tests.projections.stories import order_id, told

INSERT = """
INSERT INTO orders.stored_events (originator_id, originator_version, topic, state, notification_id)
SELECT %s, %s, %s, %s, coalesce(max(notification_id), 0) + 1 FROM orders.stored_events
"""


class SomeKeys:
    """Of everybody but those who are `unknown`."""

    def __init__(self) -> None:
        self.unknown: set[UUID] = set()

    def get(self, owner: UUID) -> bytes | None:
        if owner in self.unknown:
            raise KeyNotLoaded(owner)
        return b"k" * 32

    async def prefetch(self, owners: Iterable[UUID]) -> None:
        if missing := self.unknown.intersection(owners):
            raise UnknownKey(missing)


class Log:
    def __init__(self, database: str, pool: AsyncConnectionPool[Any]) -> None:
        self.database = database
        self.keys = SomeKeys()
        self.reader = LogReader(pool, "orders", self.keys)

    def append(self, *events: Event) -> None:
        for event in events:
            self.put(event.originator_id, event.originator_version, event.TOPIC, EventMapper(self.keys).encode(event))

    def record_at(self, time: str) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(f"UPDATE orders.stored_events SET recorded_at = {time}")

    def put(self, id: UUID, version: int, topic: str, state: bytes) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(INSERT, [id, version, topic, state])


@pytest.fixture
async def log(database: str) -> AsyncIterator[Log]:
    await migrate(database, ["orders"])
    async with AsyncConnectionPool(database, min_size=1, max_size=2, open=False) as pool:
        yield Log(database, pool)


def positions(events: Iterable[Recorded]) -> list[int]:
    return [event.position for event in events]


NUMBERS = range(1, 21)
EVENTS = [event for number in NUMBERS for event in told((placed, confirmed), order_id(number))]


def of_slices(slices: Iterable[int], after: int = 0, upto: int = 40) -> list[int]:
    found = enumerate(EVENTS, 1)
    return [n for n, e in found if slice_of(e.originator_id) in slices and after < n <= upto]


async def test_a_stretch_ends_at_the_head_at_its_limit_or_where_it_is_told_to(log: Log) -> None:
    log.append(*EVENTS)
    whole = await log.reader.read(0, 100)
    assert (positions(whole.events), whole.upto, whole.head) == ([*range(1, 41)], 40, 40)
    assert (await log.reader.head()) == (whole.incarnation, 40)
    limited = await log.reader.read(3, 5)
    assert (positions(limited.events), limited.upto) == ([4, 5, 6, 7, 8], 8)
    cut = await log.reader.read(3, 100, 6)
    assert (positions(cut.events), cut.upto, cut.head) == ([4, 5, 6], 6, 40)
    assert (await log.reader.read(6, 100, 6)).upto == 6
    assert (await log.reader.read(40, 100)).upto == 40
    assert (await log.reader.read(5, 0)).upto == 5


async def test_an_empty_log_has_a_head_too(log: Log) -> None:
    found = await log.reader.read(0, 10)
    assert (found.events, found.head, found.upto) == ([], 0, 0)
    assert (await log.reader.read_slices({1: 0, 2: 0}, 10)).upto == 0


async def test_slices_are_read_each_from_its_own_place(log: Log) -> None:
    log.append(*EVENTS)
    left, right = range(SLICES // 2), range(SLICES // 2, SLICES)
    found = await log.reader.read_slices(dict.fromkeys(left, 0), 100)
    assert (positions(found.events), found.upto) == (of_slices(left), 40)
    after = dict.fromkeys(left, 10) | dict.fromkeys(right, 30)
    found = await log.reader.read_slices(after, 100)
    assert positions(found.events) == sorted(of_slices(left, 10) + of_slices(right, 30))


async def test_a_part_that_is_cut_short_says_how_far_it_is_complete(log: Log) -> None:
    log.append(*EVENTS)
    left = range(SLICES // 2)
    found = await log.reader.read_slices(dict.fromkeys(left, 0), 4)
    assert positions(found.events) == of_slices(left)[:4]
    assert found.upto == of_slices(left)[3]
    found = await log.reader.read_slices(dict.fromkeys(left, 0), 100, 17)
    assert (positions(found.events), found.upto) == (of_slices(left, upto=17), 17)


async def test_a_stream_is_read_from_a_version_up_to_a_position(log: Log) -> None:
    story = told((placed, confirmed, cancel_pending), order_id(1))
    log.append(*story[:2], *told((placed,), order_id(2)), story[2])
    assert [e.event for e in await log.reader.stream(order_id(1))] == story
    assert positions(await log.reader.stream(order_id(1), 1)) == [2, 4]
    assert positions(await log.reader.stream(order_id(1), 0, 3)) == [1, 2]
    assert positions(await log.reader.stream(order_id(1), 0, None, 1)) == [1]
    assert await log.reader.stream(uuid4()) == []


@pytest.mark.parametrize("events", [0, 1, 2, 3, 17])
async def test_a_position_is_found_by_time_in_one_statement(
    log: Log, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    """Two events are recorded in each second but the last, in which there may be one."""
    for number in range(events):
        log.append(*told((placed,), order_id(number)))
    log.record_at("timestamptz '2026-01-01Z' + interval '1 s' * ((notification_id + 1) / 2)")
    statements, fetch = 0, log.reader._fetch

    async def counted(query: str, values: Any) -> Any:
        nonlocal statements
        statements += 1
        return await fetch(query, values)

    monkeypatch.setattr(log.reader, "_fetch", counted)
    for second in range(events // 2 + 3):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
        assert await log.reader.position_at(at) == min(2 * second, events)
        assert await log.reader.position_at(at - timedelta(microseconds=1)) == min(max(2 * second - 2, 0), events)
    assert statements == 2 * (events // 2 + 3)


async def test_raw_events_are_as_they_are_stored(log: Log) -> None:
    log.put(order_id(1), 1, "orders.of-tomorrow", b"\x00\xff")
    (stored,) = (await log.reader.read_raw(0, 10)).events
    assert (stored.position, stored.topic, stored.state) == (1, "orders.of-tomorrow", b"\x00\xff")
    assert (stored.correlation_id, stored.causation_id, stored.actor) == ("", None, "")
    (event,) = await log.reader.decoded([stored])
    assert isinstance(event.event, Unreadable)


NEWER = b'{"timestamp":"2026-01-02T03:04:05Z","class_version":99}'
NO_OWNER = b'{"timestamp":"2026-01-02T03:04:05Z","sealed":{"of":"nobody","box":""}}'


@pytest.mark.parametrize(
    "topic, state, reason",
    [
        ("orders.of-tomorrow", b"{}", "UnknownEventType: unknown event type 'orders.of-tomorrow'"),
        ("os:system", b"{}", "UnknownEventType"),
        ("orders.order-confirmed", NEWER, "NewerSchema: orders.order-confirmed was stored at schema version 99"),
        ("orders.order-confirmed", b'{"timestamp":', "ValueError: EOF while parsing"),
        ("orders.order-confirmed", b"\xff\xfe", "ValueError"),
        ("orders.order-confirmed", b"[]", "TypeError"),
        ("orders.order-confirmed", b"null", "AttributeError"),
        ("orders.order-confirmed", b'[{"sealed":1}]', "TypeError"),
        ("orders.order-confirmed", b'{"sealed":{"of":7,"box":""}}', "AttributeError"),
        ("orders.order-confirmed", b'{"class_version":-3}', "AttributeError"),
        ("orders.order-confirmed", b"{}", "ValidationError: timestamp: Field required"),
        ("orders.order-placed", NO_OWNER, "ValueError"),
        ("orders.order-confirmed", b'{"sealed":' * 2_000, "ValueError"),
    ],
)
async def test_what_cannot_be_decoded_comes_in_its_place_with_the_reason(
    log: Log, topic: str, state: bytes, reason: str
) -> None:
    log.append(*told((placed,), order_id(1)))
    log.put(order_id(2), 1, topic, state)
    log.append(*told((placed,), order_id(3)))
    events = (await log.reader.read(0, 10)).events
    assert positions(events) == [1, 2, 3]
    assert isinstance(unreadable := events[1].event, Unreadable)
    assert (unreadable.topic, unreadable.originator_id) == (topic, order_id(2))
    assert reason in unreadable.reason


async def test_a_reason_does_not_tell_what_was_sealed(log: Log) -> None:
    (event,) = told((placed,), order_id(1))
    state = EventMapper(log.keys).encode(event).replace(b'"total":', b'"totally":')
    log.put(order_id(1), 1, event.TOPIC, state)
    (recorded,) = (await log.reader.read(0, 10)).events
    assert isinstance(recorded.event, Unreadable)
    assert "total: Field required" in recorded.event.reason
    for personal in (event.address.name, event.address.line1):  # type: ignore[attr-defined]
        assert personal not in recorded.event.reason


def test_an_error_does_not_show_what_was_sealed_wherever_it_is_logged() -> None:
    """As of a command whose aggregate cannot be loaded."""
    (event,) = told((placed,), order_id(1))
    fields = event.model_dump() | {"address": "12 St James Square"}
    with pytest.raises(ValidationError) as raised:
        type(event).model_validate(fields)
    assert "St James" not in str(raised.value)


async def test_a_box_that_was_tampered_with_is_unreadable(log: Log) -> None:
    """It is bound to its place: that of another event does not open."""
    first, second = told((placed,), order_id(1)) + told((placed,), order_id(2))
    log.put(order_id(2), 1, second.TOPIC, EventMapper(log.keys).encode(first))
    (recorded,) = (await log.reader.read(0, 10)).events
    assert isinstance(recorded.event, Unreadable)
    assert "InvalidTag" in recorded.event.reason


async def test_an_owner_who_never_had_a_key_makes_only_their_own_events_unreadable(log: Log) -> None:
    """The other order of the same batch is read, although the keys of both were asked for at once."""
    log.append(*told((placed,), order_id(1)))
    (event,) = told((placed,), order_id(2))
    somebody = uuid4()
    log.append(event.model_copy(update={"customer_id": somebody}))
    log.keys.unknown.add(somebody)
    first, second = (await log.reader.read(0, 10)).events
    assert not isinstance(first.event, Unreadable)
    assert isinstance(second.event, Unreadable)
    assert f"UnknownKey: no personal-data key for {somebody}" in second.event.reason
