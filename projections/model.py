"""Read models: tables whose rows are folded from events by one small function per event type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.event import JSON, Erased, Event
from projections.feed import Recorded, Unreadable
from projections.personal import Personal
from projections.row import replace, stamp
from projections.table import R, Table

E = TypeVar("E", bound=Event)
T = TypeVar("T")

Key = Callable[[Any], UUID | None]
Addends = Mapping[tuple[Any, ...], Mapping[str, int]]
"""By key of a table of sums and by column."""


class CannotApply(Exception):
    """An event cannot be folded into its row. It is never skipped: its aggregate is parked."""


class Projector(Generic[R]):
    """Folds the events of one kind of stream into the rows of one table.

        orders = Projector("orders", OrderRow, OrderEvent)

        @orders.opens(OrderDrafted)
        def drafted(event: OrderDrafted) -> OrderRow: ...

        @orders.on(OrderCancelled)
        def cancelled(row: OrderRow, event: OrderCancelled) -> OrderRow: ...

        @orders.every
        def on_the_timeline(row: OrderRow, recorded: Recorded) -> OrderRow: ...

    Every event of the base `of` moves its row's `version` and `updated_at`, with or without a function of its own, so
    that the version is the aggregate's. A row belongs to one stream: its id is the stream's unless `key` says which
    part of the stream's aggregate it stands for (None: the event does not touch this table).
    """

    def __init__(self, table: str, row: type[R], of: type[Event], *, key: Key | None = None) -> None:
        self.table: Table[R] = Table(table, row)
        self.of = of
        self.keyed = key is not None
        self._key = key or (lambda event: event.originator_id)
        self._opens: dict[type[Event], Callable[[Any], R]] = {}
        self._on: dict[type[Event], Callable[[R, Any], R]] = {}
        self._every: Callable[[R, Recorded], R] | None = None

    def opens(self, event: type[E]) -> Callable[[Callable[[E], R]], Callable[[E], R]]:
        """The decorated function makes a row from its first event."""

        def register(function: Callable[[E], R]) -> Callable[[E], R]:
            return _once(self._opens, event, function)

        return register

    def on(self, event: type[E]) -> Callable[[Callable[[R, E], R]], Callable[[R, E], R]]:
        """The decorated function gives the row as it is after the event."""

        def register(function: Callable[[R, E], R]) -> Callable[[R, E], R]:
            return _once(self._on, event, function)

        return register

    def every(self, function: Callable[[R, Recorded], R]) -> Callable[[R, Recorded], R]:
        """The decorated function is called after each event's own, with who did it and when it was recorded."""
        self._every = function
        return function

    def key_of(self, event: Event) -> UUID | None:
        """The id of the row the event touches; None if it touches none of this table."""
        return self._key(event) if isinstance(event, self.of) else None

    def apply(self, row: R | None, recorded: Recorded) -> R:
        """The row after the event; the same row if it has seen the event already.

        Raises CannotApply when there is no row yet and the event opens none.
        """
        event = recorded.event
        if row is not None and event.originator_version <= row.version:
            return row
        folded = self._folded(row, event)
        if self._every is not None:
            folded = self._every(folded, recorded)
        if folded is row:
            return replace(row, version=event.originator_version, updated_at=event.timestamp)  # type: ignore[type-var]
        stamp(folded, version=event.originator_version, updated_at=event.timestamp)  # it has just been made
        return folded

    def _folded(self, row: R | None, event: Event) -> R:
        if row is None:
            return self._opened(event)
        function = self._on.get(type(event))
        return row if function is None else function(row, event)

    def _opened(self, event: Event) -> R:
        function = self._opens.get(type(event))
        if function is None:
            raise CannotApply(f"{self.table.name} has no row yet, and {event.TOPIC} opens none")
        return function(event)


@dataclass(frozen=True, eq=False)
class Sums:
    """A table of sums over rows: what each row of these projectors adds to which key.

        Sums("sales_by_day", key=("day", "currency"), adds={order_sales: order_days})

    `order_days(row)` gives `{(date, "EUR"): {"placed": 1, "placed_amount": 4155}}`, the same for the same row. When a
    row changes, what it adds now less what it added before goes to the table, whose key is its primary key and whose
    other columns are `bigint NOT NULL DEFAULT 0`.
    """

    table: str
    key: tuple[str, ...]
    adds: Mapping[Projector[Any], Callable[[Any], Addends]]


@dataclass(frozen=True)
class Model:
    """A read model: the folder `projections/<name>`, the contexts it is fed from, its projectors and sums over rows.

    `personal` names every table in which there is something about a person: what it takes to erase them.
    """

    name: str
    contexts: tuple[str, ...]
    projectors: tuple[Projector[Any], ...]
    sums: tuple[Sums, ...] = ()
    personal: tuple[Personal[Any], ...] = ()

    @property
    def table_sql(self) -> str:
        return (Path(__file__).parent / self.name / "table.sql").read_text()

    def touched(self, event: Event) -> list[tuple[Projector[Any], UUID]]:
        """The rows an event touches. Raises CannotApply for an event that could not even be read."""
        if isinstance(event, Unreadable):
            raise CannotApply(event.reason)
        return [(projector, key) for projector in self.projectors if (key := projector.key_of(event)) is not None]


def opened(event: Event) -> JSON:
    """The columns every row has, to be spread into the constructor of a row that stands for the whole stream."""
    return {"id": event.originator_id, "version": event.originator_version, "updated_at": event.timestamp}


def known(value: T | Erased) -> T | None:
    """A personal field as a row holds it: null once it is erased."""
    return None if isinstance(value, Erased) else value


def _once(table: dict[type[Event], Any], event: type[Event], function: T) -> T:
    if table.setdefault(event, function) is not function:
        raise TypeError(f"{event.__name__} has a function already")
    return function
