from __future__ import annotations

import dataclasses
from dataclasses import FrozenInstanceError
from dataclasses import replace as usual
from typing import Any

import pytest

from projections.row import dataclass, replace, stamp


@dataclass(frozen=True)
class Row:
    id: int
    lines: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class Narrow:
    id: int


@dataclasses.dataclass(frozen=True)
class Usual:
    id: int
    values: dict[str, str]
    defaults: tuple[str, ...] = ()
    self: str | None = None


@dataclass(frozen=True)
class Quick:
    id: int
    values: dict[str, str]
    defaults: tuple[str, ...] = ()
    self: str | None = None


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


@pytest.mark.parametrize(
    "given, named",
    [
        ((1, {"a": "b"}), {}),
        ((1,), {"values": {}, "self": "me"}),
        ((1, {}, ("x",), "y"), {}),
        ((), {"id": 2, "values": {}}),
    ],
)
def test_a_new_row_is_what_dataclasses_make_of_it(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    quick = Quick(*given, **named)
    assert dataclasses.asdict(quick) == dataclasses.asdict(Usual(*given, **named))
    assert repr(quick) == repr(Usual(*given, **named)).replace("Usual", "Quick")
    assert quick == Quick(*given, **named)


@pytest.mark.parametrize("given, named", [((1,), {}), ((1, {}, (), None, 5), {}), ((1, {}), {"color": "red"})])
def test_a_new_row_needs_its_fields_and_takes_no_others(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Quick(*given, **named)


def test_a_new_row_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Quick(1, {}).id = 2  # type: ignore[misc]
