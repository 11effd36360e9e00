"""Replaying a read model: the next generation is built beside the live one, and readers are led over at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from psycopg import errors
from psycopg.types.json import Jsonb

from domain.ids import SLICES
from projections import generations
from projections.checkpoint import Checkpoints
from projections.comparison import Comparison, compare
from projections.generations import Generation, State, shape_of
from projections.model import Model
from projections.pool import Connection, Pool, connected
from projections.waiting import LIVE_FOR

PARTS: Final = 4  # of a build, unless told otherwise: each reads the whole log for itself, and several are done at once
PATIENCE: Final = 30.0  # seconds in which a switch is tried
LOCK_TIMEOUT: Final = "100ms"  # shorter than deadlock_timeout: it is never a reader who is turned away
AGAIN: Final = 0.05  # seconds between tries


class ReplayRefused(Exception):
    """What was asked for is not possible as things stand; the text says what would be."""


class Log(Protocol):
    """What is asked of a context's log before a build starts."""

    async def head(self) -> tuple[UUID, int]:
        """Its incarnation and last position."""
        ...

    async def position_at(self, at: datetime) -> int:
        """The last position recorded at or before a time, 0 if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Until:
    """As of when a model is to be built: a time, or a position in the log of its one context."""

    moment: datetime | int

    def __str__(self) -> str:
        return f"position {self.moment}" if isinstance(self.moment, int) else self.moment.isoformat()


class Replays:
    """What operators do with generations. Every one of these may be asked twice: the second time changes nothing."""

    def __init__(self, pool: Pool, models: Iterable[Model], logs: Mapping[str, Log], *, parts: int = PARTS) -> None:
        self._pool = pool
        self._models = {model.name: model for model in models}
        self._logs = logs
        self._parts = parts

    async def start(
        self, model: str, *, until: Until | None = None, replay: UUID | None = None, for_shape: bool = False
    ) -> Generation:
        """Creates the next generation; workers build it. Raises ReplayRefused when one is on its way already."""
        if replay is not None and (begun := await self._of(replay)):
            return begun
        known = self.model(model)
        heads = await self._heads(model)
        ends = {context: await self._end(context, head, until) for context, (_, head) in heads.items()}
        try:
            async with connected(self._pool) as connection:
                number = await generations.add(
                    connection,
                    known,
                    State.BUILDING,
                    replay=replay,
                    ends=ends,
                    parts=self._parts,
                    until=None if until is None else str(until),
                    for_shape=for_shape,
                )
                for context, (incarnation, _) in heads.items():
                    await Checkpoints(f"{model}@{number}", context).open(connection, incarnation)
        except errors.UniqueViolation:
            raise ReplayRefused(
                f"a new generation of {model} is on its way already: switch to it or cancel it first"
            ) from None
        return await self.generation(model, number)

    async def switch(self, generation: Generation, *, force: bool = False, within: float = PATIENCE) -> Generation:
        """Lets readers see this generation, all its tables at once; the one they saw is kept and followed.

        Refused while it is behind the live one, and, unless forced, before it was compared and while it has parked
        events. Raises ReplayRefused.
        """
        if generation.status is State.LIVE:
            return generation
        await self._may_be_seen(generation, force=force)
        await self._announce(generation)
        try:
            return await self._lead_over(generation, within)
        except ReplayRefused:
            await self._call_off(generation)
            raise

    async def rollback(self, generation: Generation, *, force: bool = False, within: float = PATIENCE) -> Generation:
        """Lets readers see again what they saw before this generation became live."""
        if generation.status is not State.LIVE:
            raise ReplayRefused(f"{generation.name} is {generation.status}: only the LIVE one can be led back from")
        async with connected(self._pool) as connection:
            found = await generations.listed(connection, generation.model)
        kept = [g for g in found if g.status is State.KEPT]
        if not kept:
            raise ReplayRefused(f"{generation.model} has no KEPT generation to go back to")
        return await self.switch(max(kept, key=_ended), force=force, within=within)

    async def cancel(self, generation: Generation) -> Generation:
        """Gives up what is being built, or was and is not switched to."""
        return await self._remove(generation, State.CANCELLED, _may_be_cancelled)

    async def drop(self, generation: Generation) -> Generation:
        """Throws away what is kept, and a finished model as of a moment."""
        return await self._remove(generation, State.DROPPED, _may_be_dropped)

    async def compare(self, generation: Generation) -> Comparison:
        """With the live one, row by row; what was found is noted with the generation. Raises ReplayRefused."""
        async with connected(self._pool) as connection:
            live = await generations.live(connection, self.model(generation.model).name)
        if live is None or generation.status not in {State.READY, State.KEPT}:
            raise ReplayRefused(f"{generation.name} is {generation.status}: only READY or KEPT can be compared")
        found = await compare(self._pool, self.model(generation.model), live, generation)
        await self.compared(generation, found)
        return found

    async def compared(self, generation: Generation, found: Comparison) -> None:
        """Notes what a comparison with the live one has found."""
        async with connected(self._pool) as connection:
            await connection.execute(
                "UPDATE projections.generations SET compared_at = clock_timestamp(), compared = %s"
                " WHERE (model, generation) = (%s, %s)",
                [Jsonb(found.summary()), generation.model, generation.generation],
            )

    def model(self, name: str) -> Model:
        """Raises ReplayRefused."""
        if name not in self._models:
            raise ReplayRefused(f"there is no read model {name}; there are {', '.join(sorted(self._models))}")
        return self._models[name]

    async def generation(self, model: str, number: int) -> Generation:
        """Raises ReplayRefused."""
        async with connected(self._pool) as connection:
            found = await generations.listed(connection, self.model(model).name, ended=True)
        for generation in found:
            if generation.generation == number:
                return generation
        raise ReplayRefused(f"there is no generation {number} of {model}")

    async def of_replay(self, replay: UUID) -> Generation:
        """The generation that this operation started. Raises ReplayRefused."""
        if found := await self._of(replay):
            return found
        raise ReplayRefused(f"there is no replay {replay}")

    async def _of(self, replay: UUID) -> Generation | None:
        async with connected(self._pool) as connection:
            return await generations.of_replay(connection, replay)

    async def _heads(self, model: str) -> dict[str, tuple[UUID, int]]:
        return {context: await self._logs[context].head() for context in self._models[model].contexts}

    async def _end(self, context: str, head: int, until: Until | None) -> int:
        if until is None:
            return head
        if isinstance(until.moment, datetime):
            return await self._logs[context].position_at(until.moment)
        if until.moment > head:
            raise ReplayRefused(f"the log of {context} ends at {head}: position {until.moment} is still to come")
        return until.moment

    async def _may_be_seen(self, generation: Generation, *, force: bool) -> None:
        _may_be_switched_to(generation)
        if generation.shape != shape_of(self._models[generation.model]):
            raise ReplayRefused(f"{generation.name} was made from another table.sql than this release reads")
        if generation.until is not None:
            raise ReplayRefused(
                f"{generation.name} is as of {generation.until} and not followed: readers would stay there"
            )
        if force:
            return
        if generation.status is State.READY and generation.compared_at is None and not generation.for_shape:
            raise ReplayRefused(f"{generation.name} was not compared with the live one yet: compare it, or force it")
        async with connected(self._pool) as connection:
            if parked := await generations.parked(connection, generation):
                raise ReplayRefused(f"{generation.name} has {parked} parked: see `chobo parked list`, or force it")

    async def _announce(self, generation: Generation) -> None:
        """Whoever waits to read their own writes must wait for this generation from before readers see it."""
        async with connected(self._pool) as connection:
            await connection.execute(
                "UPDATE projections.generations SET switching_at = clock_timestamp()"
                " WHERE (model, generation) = (%s, %s)",
                [generation.model, generation.generation],
            )
        await asyncio.sleep(1.2 * LIVE_FOR)

    async def _call_off(self, generation: Generation) -> None:
        async with connected(self._pool) as connection:
            await connection.execute(
                "UPDATE projections.generations SET switching_at = NULL WHERE (model, generation) = (%s, %s)",
                [generation.model, generation.generation],
            )

    async def _lead_over(self, generation: Generation, within: float) -> Generation:
        ends = time.monotonic() + within
        heads = await self._heads(generation.model)
        while True:
            try:
                async with connected(self._pool) as connection:
                    await self._point(connection, generation, heads)
                return await self.generation(generation.model, generation.generation)
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                why = "readers or workers hold its tables"
            except _Behind as behind:
                why = str(behind)
            if time.monotonic() > ends:
                raise ReplayRefused(f"{generation.name} could not be switched to in {within:g} s: {why}")
            await asyncio.sleep(AGAIN)

    async def _point(
        self, connection: Connection, generation: Generation, heads: Mapping[str, tuple[UUID, int]]
    ) -> None:
        """Held where it is, the live one's checkpoint must be covered: readers are never led back in time."""
        await connection.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        found = await _held(connection, generation.model)
        live = next(g for g in found.values() if g.status is State.LIVE)
        if live.generation == generation.generation:
            return
        _may_be_switched_to(found[generation.generation])
        for context, log in heads.items():
            await _require_covered(connection, context, live, generation, log)
        await generations.point_views(
            connection, self._models[generation.model], generation.generation, instead_of=live.generation
        )
        await connection.execute(
            "UPDATE projections.generations SET status = 'KEPT', ended_at = clock_timestamp()"
            " WHERE (model, generation) = (%s, %s)",
            [live.model, live.generation],
        )
        await connection.execute(
            "UPDATE projections.generations SET status = 'LIVE', live_at = clock_timestamp(), ended_at = NULL,"
            " switching_at = NULL WHERE (model, generation) = (%s, %s)",
            [generation.model, generation.generation],
        )

    async def _remove(self, generation: Generation, status: State, may_be: Callable[[Generation], None]) -> Generation:
        """Looks again what it is when nobody can change that any more: readers may have been led to it meanwhile."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                async with connected(self._pool) as connection:
                    await connection.execute("SELECT set_config('lock_timeout', '1s', true)")
                    current = (await _held(connection, generation.model))[generation.generation]
                    if current.status is not status:
                        may_be(current)
                        await generations.remove(connection, current, status)
                return await self.generation(generation.model, generation.generation)
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                if time.monotonic() > ends:
                    raise ReplayRefused(f"the tables of {generation.name} are in use: try again") from None


class _Behind(Exception):
    """The generation has not seen everything that readers see now."""


async def _held(connection: Connection, model: str) -> dict[int, Generation]:
    """All generations of the model by number, which stay as they are until the transaction ends."""
    await connection.execute(
        "SELECT FROM projections.generations WHERE model = %s ORDER BY generation FOR UPDATE", [model]
    )
    return {g.generation: g for g in await generations.listed(connection, model, ended=True)}


def _may_be_switched_to(generation: Generation) -> None:
    if generation.status not in {State.READY, State.KEPT}:
        raise ReplayRefused(f"{generation.name} is {generation.status}: only READY or KEPT can be switched to")


def _may_be_cancelled(generation: Generation) -> None:
    if generation.status not in {State.BUILDING, State.READY}:
        raise ReplayRefused(f"{generation.name} is {generation.status}: only BUILDING or READY can be cancelled")


def _may_be_dropped(generation: Generation) -> None:
    if generation.status is State.LIVE:
        raise ReplayRefused(f"{generation.name} is what readers see: switch to another first")
    if generation.is_candidate:
        raise ReplayRefused(f"{generation.name} is {generation.status}: it can be cancelled, not dropped")


async def _require_covered(
    connection: Connection, context: str, live: Generation, new: Generation, log: tuple[UUID, int]
) -> None:
    """Holds the checkpoint of the live one; `log`: incarnation and head. Raises _Behind."""
    incarnation, head = log
    await connection.execute(
        "SELECT FROM projections.checkpoints WHERE (consumer, context) = (%s, %s) FOR UPDATE", [live.name, context]
    )
    seen = await generations.checkpoint_of(connection, live, context)
    has = await generations.checkpoint_of(connection, new, context)
    if has is None or has.incarnation != incarnation:
        raise ReplayRefused(f"{new.name} follows another incarnation of the log of {context}: build a new generation")
    if seen is None or seen.incarnation != incarnation:
        if has.floor < head:  # the live one has stopped; ours must be where the log is
            raise _Behind(f"in {context} it is at {has.floor} of {head}")
    elif behind := sum(has.of(slice) < seen.of(slice) for slice in range(SLICES)):
        raise _Behind(f"in {context} it is behind {live.name} in {behind} of {SLICES} slices")


def _ended(generation: Generation) -> Any:
    return generation.ended_at
