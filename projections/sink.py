"""What a consumer writes to, inside its own transaction: a read model's tables, the to-do list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from projections.feed import Recorded
from projections.folding import Folding
from projections.generations import schema_of
from projections.model import Model, Projector
from projections.pool import Connection, Cursor
from projections.sums import add, changes


class Writing(Protocol):
    """What a sink does with some events, always in this order: load, loaded, fold each in turn, save.

    `load` and `save` run in a pipeline: they send statements and look at no answer. What `fold` and the database
    refuse parks the event, so the same events may come again, in smaller lots.
    """

    async def load(self, connection: Connection) -> None:
        """Asks for what is needed to fold these events."""
        ...

    async def loaded(self) -> None:
        """Takes the answers, when the pipeline has been left."""
        ...

    def fold(self, recorded: Recorded) -> None:
        """One of the events, in order. May raise anything, if it leaves no trace of the event then.

        Not called for events that have been applied before, or that wait behind a parked one.
        """
        ...

    async def save(self, connection: Connection) -> None:
        """Writes what was folded."""
        ...


class Sink(Protocol):
    """Must write nothing but through its writings, so that all of it goes with the checkpoint."""

    @property
    def name(self) -> str:
        """The consumer's: `orders@1`, `todo`."""
        ...

    def begin(self, batch: Sequence[Recorded]) -> Writing:
        """For these events. Never raises because of an event: `fold` does."""
        ...


class ModelSink:
    """One generation of a read model."""

    def __init__(self, model: Model, generation: int = 1) -> None:
        self.name = f"{model.name}@{generation}"
        self._model = model
        self._schema = schema_of(model.name, generation)

    def begin(self, batch: Sequence[Recorded]) -> Writing:
        return ModelWriting(self._model, self._schema, batch)


def model_sinks(models: Iterable[Model]) -> Callable[[str], ModelSink]:
    """Gives the sink of a consumer's name, `orders@1`. It raises KeyError for one of no such model."""
    by_name = {model.name: model for model in models}

    def sink_of(consumer: str) -> ModelSink:
        name, _, generation = consumer.partition("@")
        return ModelSink(by_name[name], int(generation))

    return sink_of


class ModelWriting:
    """Loads the rows a batch touches, writes each table once, and adds to the sums what that changes."""

    def __init__(self, model: Model, schema: str, batch: Sequence[Recorded]) -> None:
        self._model = model
        self._schema = schema
        self._folding = Folding(model, batch)
        self._selected: list[tuple[Projector[Any], Cursor]] = []
        self.fold = self._folding.fold

    async def load(self, connection: Connection) -> None:
        self._selected = [
            (projector, await projector.table.select(connection, self._schema, ids))
            for projector, ids in self._folding.ids().items()
        ]

    async def loaded(self) -> None:
        for projector, cursor in self._selected:
            self._folding.stored[projector] = await projector.table.found(cursor)

    async def save(self, connection: Connection) -> None:
        """Sums come last: they are what other workers may be waiting for."""
        for projector, rows in self._folding.changed.items():
            await projector.table.save(connection, self._schema, list(rows.values()))
        for sums in self._model.sums:
            await add(connection, self._schema, sums, changes(sums, self._folding))
