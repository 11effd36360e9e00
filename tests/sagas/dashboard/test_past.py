"""An aggregate is the same whether it is folded from its beginning or from what is remembered of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import Event
from domain.ids import new_id
from domain.sagas import CONTEXT
from domain.sagas.events import Course, SagaStarted, StepFailed
from projections.feed import Recorded
from projections.history import AtPosition, AtTime, AtVersion, Moment, as_of
from sagas.dashboard import past
from sagas.dashboard.past import Past, version_of
from tests.projections.fakes import recorded
from tests.projections.test_history import FakeStream

LENGTH = 150
AT = datetime(2026, 3, 1, tzinfo=UTC)


def failing(id: UUID, length: int = LENGTH) -> list[Event]:
    """A saga of which one step fails again and again."""
    return [
        SagaStarted(originator_id=id, originator_version=1, timestamp=AT, process="checkout", definition=1, key=id),
        *(
            StepFailed(
                originator_id=id, originator_version=n, timestamp=AT + timedelta(minutes=n), step="capture payment",
                course=Course.FORWARD, code="X", detail=str(n), next_at=None,
            )
            for n in range(2, length + 1)
        ),
    ]  # fmt: skip


class Counting(FakeStream):
    """How many events were read of it."""

    read = 0

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]:
        found = await super().stream(id, after_version, upto_position, limit)
        self.read += len(found)
        return found


ID = new_id()
LOG = Counting(failing(ID))
MOMENTS = st.one_of(
    st.none(),
    st.integers(0, LENGTH + 5).map(AtVersion),
    st.integers(0, LENGTH + 5).map(AtPosition),
    st.integers(-5, LENGTH + 5).map(lambda n: AtTime(LOG.log[0].recorded_at + timedelta(seconds=n))),
)


def of(log: FakeStream) -> Past:
    return Past({CONTEXT.name: CONTEXT}, {CONTEXT.name: log})


@given(st.lists(MOMENTS, min_size=1, max_size=6))
async def test_whatever_was_asked_before_it_is_what_its_log_folds_to(moments: list[Moment | None]):
    remembered = of(LOG)
    for moment in moments:
        assert await remembered.as_of(CONTEXT.name, ID, moment) == await as_of(CONTEXT, LOG, ID, moment)


async def test_of_a_long_one_only_what_came_since_the_nearest_is_read_again():
    log = Counting(failing(ID))
    remembered = of(log)
    await remembered.as_of(CONTEXT.name, ID)
    log.read = 0
    found = await remembered.as_of(CONTEXT.name, ID, AtVersion(LENGTH - 1))
    assert found is not None
    assert version_of(found) == LENGTH - 1
    assert log.read <= past.EVERY


async def test_events_that_have_come_since_are_folded_too():
    log = FakeStream(failing(ID, 100))
    remembered = of(log)
    await remembered.as_of(CONTEXT.name, ID)
    log.log = FakeStream(failing(ID)).log[:100]  # the same log, as it was read before
    log.log += [recorded(event, n) for n, event in enumerate(failing(ID), 1)][100:]
    assert await remembered.as_of(CONTEXT.name, ID) == await as_of(CONTEXT, log, ID)


async def test_a_log_that_was_exchanged_is_read_anew():
    log = FakeStream(failing(ID))
    remembered = of(log)
    await remembered.as_of(CONTEXT.name, ID)
    other = failing(ID, 40) + failing(ID)[40:120]
    log.log = [each._replace(event_id=new_id()) for each in FakeStream(other).log]
    assert await remembered.as_of(CONTEXT.name, ID) == await as_of(CONTEXT, log, ID)


async def test_so_much_is_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(past, "EVERY", 2)
    monkeypatch.setattr(past, "MARKS", 4)
    monkeypatch.setattr(past, "MOST", 1)
    remembered = of(log := FakeStream([*failing(ID), *failing(other := new_id())]))
    for id in (ID, other, ID):
        assert await remembered.as_of(CONTEXT.name, id) == await as_of(CONTEXT, log, id)
    ((known, marks),) = remembered._known.items()
    assert known == ID
    assert 1 < len(marks.kept) <= 4
