from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.event import ERASED, Event
from projections.feed import Unreadable
from projections.model import CannotApply, Model, Projector, known, opened
from projections.orders.projector import orders
from tests.projections.fakes import AT, recorded


class BoxEvent(Event):
    pass


class BoxMade(BoxEvent):
    TOPIC = "tests.box-made"

    label: str


class BoxMoved(BoxEvent):
    TOPIC = "tests.box-moved"


class ThingPut(BoxEvent):
    TOPIC = "tests.thing-put"

    thing_id: UUID


@dataclass(frozen=True)
class BoxRow:
    id: UUID
    version: int
    updated_at: datetime
    label: str


boxes = Projector("boxes", BoxRow, BoxEvent)
things = Projector("things", BoxRow, BoxEvent, key=lambda event: getattr(event, "thing_id", None))
BOX = uuid4()


@boxes.opens(BoxMade)
def made(event: BoxMade) -> BoxRow:
    return BoxRow(**opened(event), label=event.label)


def event(kind: type[Event], version: int, **fields: object) -> Event:
    at = AT + timedelta(minutes=version)
    return kind.model_validate({"originator_id": BOX, "originator_version": version, "timestamp": at, **fields})


def test_every_event_of_the_stream_moves_the_rows_version_and_time() -> None:
    row = boxes.apply(None, recorded(event(BoxMade, 1, label="tea"), 1))
    moved = boxes.apply(row, recorded(event(BoxMoved, 2), 2))
    assert (moved.version, moved.updated_at, moved.label) == (2, AT + timedelta(minutes=2), "tea")


def test_an_event_that_was_seen_changes_nothing() -> None:
    row = BoxRow(BOX, 2, datetime.now(UTC), "tea")
    assert boxes.apply(row, recorded(event(BoxMade, 1, label="cups"), 1)) is row


def test_a_row_must_be_opened_first() -> None:
    with pytest.raises(CannotApply, match=r"boxes has no row yet, and tests.box-moved opens none"):
        boxes.apply(None, recorded(event(BoxMoved, 2), 1))


def test_an_event_touches_the_rows_that_are_keyed_by_it() -> None:
    model, thing = Model("boxes", ("tests",), (boxes, things)), uuid4()
    assert model.touched(event(ThingPut, 2, thing_id=thing)) == [(boxes, BOX), (things, thing)]
    assert model.touched(event(BoxMoved, 3)) == [(boxes, BOX)]


def test_an_unreadable_event_touches_nothing_that_could_be_named() -> None:
    stranger = event(Unreadable, 1, topic="tests.lost", reason="no such type")
    with pytest.raises(CannotApply, match="no such type"):
        Model("boxes", ("tests",), (boxes,)).touched(stranger)


def test_an_event_type_has_one_function() -> None:
    with pytest.raises(TypeError, match="BoxMade has a function already"):
        boxes.opens(BoxMade)(lambda event: BoxRow(**opened(event), label=""))


def test_what_is_erased_is_not_known() -> None:
    assert (known("tea"), known(ERASED)) == ("tea", None)


def test_a_row_that_cannot_be_read_is_not_shown_in_the_error() -> None:
    with pytest.raises(ValidationError) as raised:
        orders.table.decoded([('{"id": "12 St James Square"}',)])
    assert "id" in str(raised.value)
    assert "St James" not in str(raised.value)
