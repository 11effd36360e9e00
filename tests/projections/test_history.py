"""Any aggregate at any moment is what its events up to there fold to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import ERASED, Event
from domain.ids import new_id
from domain.orders import CONTEXT
from domain.orders.order import Order, Status
from projections import history
from projections.feed import Recorded, Unreadable
from projections.history import AtPosition, AtTime, AtVersion, Change, NoSuchMoment, as_of, difference, moment, plain
from tests.domain.orders.samples import confirmed, placed, tea_shipped
from tests.projections.fakes import AT, recorded
from tests.projections.stories import STORIES, logs, order_id, told

STORY = told((placed, confirmed, tea_shipped), order_id(1))


class FakeStream:
    """A log in memory, as far as one aggregate goes."""

    def __init__(self, events: list[Event]) -> None:
        self.log = [recorded(event, position) for position, event in enumerate(events, 1)]

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]:
        found = [r for r in self.log if r.event.originator_id == id and r.event.originator_version > after_version]
        return [r for r in found if upto_position is None or r.position <= upto_position][:limit]

    async def position_at(self, at: datetime) -> int:
        return max((r.position for r in self.log if r.recorded_at <= at), default=0)


LOG = FakeStream([*told((placed,), order_id(2)), *STORY])


@pytest.mark.parametrize(
    "text, meant",
    [
        ("v3", AtVersion(3)),
        ("p1234", AtPosition(1234)),
        ("2026-01-31T12:00:00Z", AtTime(datetime(2026, 1, 31, 12, tzinfo=UTC))),
        ("2026-01-31", AtTime(datetime(2026, 1, 31, tzinfo=UTC))),
    ],
)
def test_a_moment_is_a_version_a_position_or_a_time(text: str, meant: history.Moment) -> None:
    assert moment(text) == meant


@pytest.mark.parametrize("text", ["", "3", "v", "x3", "v-1", "noon"])
def test_anything_else_is_no_moment(text: str) -> None:
    with pytest.raises(NoSuchMoment):
        moment(text)


@pytest.mark.parametrize(
    "at, status",
    [
        (AtVersion(1), Status.PLACED),
        (AtVersion(2), Status.CONFIRMED),
        (AtVersion(99), Status.PARTIALLY_SHIPPED),
        (AtPosition(2), Status.PLACED),
        (AtPosition(3), Status.CONFIRMED),
        (AtTime(AT + timedelta(seconds=3.5)), Status.CONFIRMED),
        (None, Status.PARTIALLY_SHIPPED),
    ],
)
async def test_an_order_as_it_was(at: history.Moment | None, status: Status) -> None:
    found = await as_of(CONTEXT, LOG, order_id(1), at)
    assert found is not None
    assert found.state.status is status


@pytest.mark.parametrize("at", [AtVersion(0), AtPosition(1), AtTime(AT)])
async def test_before_its_first_event_there_is_nothing(at: history.Moment) -> None:
    assert await as_of(CONTEXT, LOG, order_id(1), at) is None


async def test_what_was_not_yet_recorded_by_then_says_so_by_its_last_event() -> None:
    found = await as_of(CONTEXT, LOG, order_id(1), AtPosition(3))
    assert found is not None
    assert (found.last.position, found.last.event.originator_version) == (3, 2)


async def test_an_event_that_cannot_be_read_is_named() -> None:
    broken = Unreadable(
        originator_id=order_id(1), originator_version=2, timestamp=AT, topic="orders.order-lost", reason="unknown"
    )
    log = FakeStream([STORY[0], broken])
    with pytest.raises(history.NotReadable, match=r"version 2 \(position 2\) cannot be read: unknown"):
        await as_of(CONTEXT, log, order_id(1))
    assert await as_of(CONTEXT, log, order_id(1), AtVersion(1)) is not None


@given(logs, st.data())
async def test_at_any_version_it_is_the_fold_of_so_many_events(events: list[Event], data: st.DataObject) -> None:
    id = data.draw(st.sampled_from(sorted({event.originator_id for event in events})))
    mine = [event for event in events if event.originator_id == id]
    version = data.draw(st.integers(1, len(mine)))
    found = await as_of(CONTEXT, FakeStream(events), id, AtVersion(version))
    assert found is not None
    assert found.state == CONTEXT.fold(None, mine[:version])


@given(st.sampled_from(STORIES), st.integers(1, 3))
async def test_in_pieces_it_is_the_same(story: list[object], chunk: int) -> None:
    log = FakeStream(told(story, order_id(1)))  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "CHUNK", chunk)
        pieces = await as_of(CONTEXT, log, order_id(1))
    assert pieces == await as_of(CONTEXT, log, order_id(1))


def state(*story: object) -> Order:
    found: Order = CONTEXT.fold(None, told(story, order_id(1)))  # type: ignore[arg-type]
    return found


def test_the_difference_between_two_states_names_each_value() -> None:
    changes = difference(plain(state(placed)), plain(state(placed, confirmed)))
    assert Change("status", "PLACED", "CONFIRMED") in changes
    assert Change("version", 1, 2) in changes
    assert difference(plain(state(placed)), plain(state(placed))) == []


def test_the_difference_goes_into_lists_and_maps() -> None:
    before, after = (
        {"lines": [{"quantity": 1}], "by": {"a": 1}},
        {"lines": [{"quantity": 2}, {"quantity": 3}], "by": {}},
    )
    assert difference(before, after) == [
        Change("lines.0.quantity", 1, 2),
        Change("lines.1", None, {"quantity": 3}),
        Change("by.a", 1, None),
    ]


def test_what_is_erased_says_so() -> None:
    assert plain({"note": ERASED}, erased="(hidden)") == {"note": "(hidden)"}
    assert plain(new_id()).count("-") == 4
