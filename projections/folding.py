"""Folding events into the rows they touch, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import psycopg
from pydantic import ValidationError

from projections.feed import Recorded
from projections.model import Model, Projector

Touched = list[tuple[Projector[Any], UUID]]
Rows = dict[Projector[Any], dict[UUID, Any]]


class Folding:
    """The rows of one batch: `stored` as they were found, `changed` as they have become."""

    def __init__(self, model: Model, batch: Iterable[Recorded]) -> None:
        self._touched: dict[int, Touched | Exception] = {e.position: touched(model, e) for e in batch}
        self.stored: Rows = {projector: {} for projector in model.projectors}
        self.changed: Rows = {projector: {} for projector in model.projectors}

    def ids(self) -> Mapping[Projector[Any], set[UUID]]:
        """Which rows the batch touches, to be put into `stored` before folding."""
        wanted: dict[Projector[Any], set[UUID]] = defaultdict(set)
        for rows in self._touched.values():
            for projector, id in () if isinstance(rows, Exception) else rows:
                wanted[projector].add(id)
        return wanted

    def fold(self, recorded: Recorded) -> None:
        """Folds one event of the batch. Raises what a projector raises; then nothing of the event is in the rows."""
        rows = self._touched[recorded.position]
        if isinstance(rows, Exception):
            raise rows
        after = [(projector, id, projector.apply(self._row(projector, id), recorded)) for projector, id in rows]
        for projector, id, row in after:
            self.changed[projector][id] = row

    def _row(self, projector: Projector[Any], id: UUID) -> Any:
        row = self.changed[projector].get(id)
        return self.stored[projector].get(id) if row is None else row


def touched(model: Model, recorded: Recorded) -> Touched | Exception:
    """The rows an event touches, or why that cannot be said."""
    try:
        return model.touched(recorded.event)
    except Exception as error:  # noqa: BLE001  # whatever is wrong with it, it is told when the event's turn comes
        return error


def told(error: Exception) -> str:
    """What happened, without the values of a row or an event as far as they are not in an exception of our own."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        text = error.diag.message_primary
    elif isinstance(error, ValidationError):
        text = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
    else:
        text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
