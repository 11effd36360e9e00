from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass
from dataclasses import replace as usual

import pytest

from projections.row import replace, stamp


@dataclass(frozen=True)
class Row:
    id: int
    lines: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class Narrow:
    id: int


ROW = Row(1, ("tea",), "Ring twice")


def test_a_changed_row_is_what_dataclasses_make_of_it() -> None:
    assert replace(ROW, note=None) == usual(ROW, note=None)
    assert replace(Narrow(1), id=2) == Narrow(2)


def test_the_row_itself_stays_as_it_was() -> None:
    replace(ROW, id=2)
    assert Row(1, ("tea",), "Ring twice") == ROW


def test_a_copy_is_frozen_too() -> None:
    with pytest.raises(FrozenInstanceError):
        replace(ROW, id=2).id = 3  # type: ignore[misc]


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="Row has no field color"):
        replace(ROW, color="red")  # type: ignore[call-arg]


def test_a_row_that_has_just_been_made_can_be_stamped() -> None:
    stamp(fresh := replace(ROW), id=7)
    assert (fresh.id, ROW.id) == (7, 1)
