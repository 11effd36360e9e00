"""Retries and discards of what is parked, by this release's code, as operators ask for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from uuid import UUID

from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation
from infra.operations import Executor, NothingToDo, Refused
from projections.asking import CONSUMER as TODO
from projections.asking import Rule, TodoSink
from projections.model import Model
from projections.parked import shown
from projections.pool import Pool, connected
from projections.sink import ModelSink, Sink
from projections.unparking import NotParked, OtherEvent, OtherLog, Retries, Streams, Tried

Rules = Mapping[str, Sequence[Rule]]
"""What asks for work, by context."""


class Sinks:
    """The sink of each consumer of a context, by its name: `orders@1`, `todo`; `others` are by name."""

    def __init__(self, context: str, models: Iterable[Model], rules: Rules, others: Mapping[str, Sink]) -> None:
        self._context = context
        self._others = others
        self._models = {model.name: model for model in models}
        self._rules = rules

    def __call__(self, consumer: str) -> Sink:
        """Raises Refused."""
        if consumer == TODO:
            return TodoSink(self._context, self._rules.get(self._context, ()))
        if consumer in self._others:
            return self._others[consumer]
        name, _, generation = consumer.partition("@")
        if name not in self._models:
            known = ", ".join(sorted(self._models))
            raise Refused(f"this release has no read model {name}, which {consumer} is of; it has {known}")
        return ModelSink(self._models[name], int(generation))


class Park:
    """What is parked of every consumer. `logs` are by context; `others` are sinks that are not made here."""

    def __init__(
        self,
        pool: Pool,
        models: Iterable[Model],
        rules: Rules,
        logs: Mapping[str, Streams],
        others: Iterable[Sink] = (),
    ) -> None:
        self._pool = pool
        models, named = tuple(models), {sink.name: sink for sink in others}
        self._retries = {context: Retries(pool, Sinks(context, models, rules, named), logs) for context in logs}

    async def retry(self, id: UUID, attempts: int | None = None) -> Tried:
        """If it was tried so often till now. Raises NothingToDo, Refused."""
        return await self._tried(id, lambda retries: retries.retry(id), attempts)

    async def discard(self, id: UUID, event: UUID) -> Tried:
        """Raises NothingToDo, Refused."""
        return await self._tried(id, lambda retries: retries.discard(id, event))

    async def dry_run(self, id: UUID) -> Tried:
        """What a retry would come to; nothing is changed. Raises NothingToDo, Refused."""
        return await self._tried(id, lambda retries: retries.dry_run(id))

    async def _tried(self, id: UUID, act: Callable[[Retries], Awaitable[Tried]], attempts: int | None = None) -> Tried:
        async with connected(self._pool) as connection:
            found = await shown(connection, id)
        if found is None:
            raise NothingToDo(str(NotParked(id)))
        if attempts not in (None, found.attempts):
            raise Refused(f"{id} was tried {found.attempts} times, not {attempts}: somebody tried it meanwhile")
        try:
            return await act(self._retries[found.context])
        except NotParked as gone:
            raise NothingToDo(str(gone)) from None
        except (OtherEvent, OtherLog) as refusal:
            raise Refused(str(refusal)) from None


def parked_executors(park: Park) -> dict[str, Executor]:
    async def retry(operation: Operation) -> Facts:
        tried = await park.retry(parked_at(operation), attempts_of(operation))
        if tried.left is not None:
            raise Refused(parked_again(tried))
        return {"applied": tried.applied}

    async def discard(operation: Operation) -> Facts:
        """Done even when what comes behind the event is parked in its turn: that is told."""
        event = UUID(str(operation.parameters["event"]))
        tried = await park.discard(parked_at(operation), event)
        return {"applied": tried.applied, "parkedAgain": parked_again(tried) if tried.left else None}

    return {OperationKind.PARKED_RETRY: retry, OperationKind.PARKED_DISCARD: discard}


def parked_at(operation: Operation) -> UUID:
    try:
        return UUID(operation.target)
    except ValueError:
        raise Refused(f"{operation.target} is not the id of anything parked: `chobo parked list` shows them") from None


def attempts_of(operation: Operation) -> int | None:
    """As the operator has seen it; None if that does not matter."""
    seen = operation.parameters.get("attempts")
    return seen if isinstance(seen, int) else None


def parked_again(tried: Tried) -> str:
    """Without the whole reason: that may quote what is personal, and this is kept for ever."""
    left = tried.left
    assert left is not None
    before = f"{tried.applied} applied, then " if tried.applied else ""
    at = f"version {left.version} ({left.event_type}): {left.fingerprint.partition(' ')[0]}"
    return f"{before}parked again at {at}; see `chobo parked show {left.id}`"
