"""Folding events into the rows they touch, in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import psycopg
from pydantic import ValidationError

from projections.feed import Recorded
from projections.model import Model, Projector

Rows = dict[Projector[Any], dict[UUID, Any]]


class Place:
    """A row's place while a batch is folded: looked up by its id but once for each event."""

    __slots__ = ("found", "id", "projector", "row", "was_changed")

    def __init__(self, projector: Projector[Any], id: UUID) -> None:
        self.projector = projector
        self.id = id
        self.row: Any = None
        self.found = False
        self.was_changed = False


class Folding:
    """The rows of one batch: `stored` as they were found, `changed` as they have become."""

    def __init__(self, model: Model, batch: Iterable[Recorded]) -> None:
        self.stored: Rows = {projector: {} for projector in model.projectors}
        self._places: dict[Projector[Any], dict[int, Place]] = {projector: {} for projector in model.projectors}
        self._touched: dict[int, list[Place] | Exception] = {e.position: self._planned(model, e) for e in batch}

    def ids(self) -> Mapping[Projector[Any], Collection[UUID]]:
        """Which rows the batch touches, to be put into `stored` before folding."""
        return {p: [place.id for place in places.values()] for p, places in self._places.items() if places}

    @property
    def changed(self) -> Rows:
        return {
            projector: {place.id: place.row for place in places.values() if place.was_changed}
            for projector, places in self._places.items()
        }

    def fold(self, recorded: Recorded) -> None:
        """Folds one event of the batch. Raises what a projector raises; then nothing of the event is in the rows."""
        places = self._touched[recorded.position]
        if isinstance(places, Exception):
            raise places
        after = [place.projector.apply(self._row(place), recorded) for place in places]
        for place, row in zip(places, after, strict=True):
            place.row, place.found, place.was_changed = row, True, True

    def _row(self, place: Place) -> Any:
        return place.row if place.found else self.stored[place.projector].get(place.id)

    def _planned(self, model: Model, recorded: Recorded) -> list[Place] | Exception:
        """The places an event touches, or why that cannot be said."""
        try:
            return [self._place(projector, id) for projector, id in model.touched(recorded.event)]
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, it is told when the event's turn comes
            return error

    def _place(self, projector: Projector[Any], id: UUID) -> Place:
        places = self._places[projector]
        place = places.get(id.int)  # compared faster than the id itself
        if place is None:
            place = places[id.int] = Place(projector, id)
        return place


def told(error: Exception) -> str:
    """What happened, without the values of a row or an event as far as they are not in an exception of our own.

    A text column takes it, whatever was in the error: or what fails could not even be parked.
    """
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        text = error.diag.message_primary
    elif isinstance(error, ValidationError):
        text = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
    else:
        text = str(error)
    text = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
