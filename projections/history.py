"""Aggregates through time: any of them as it was at a version, a position or a time, and what lies between two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Protocol
from uuid import UUID

from pydantic import BaseModel, JsonValue

from domain.aggregate import Context
from domain.event import Erased
from projections.feed import Recorded, Unreadable

LONGEST_NUMBER: Final = 19  # with its letter: what is longer lies beyond every log
CHUNK: Final = 5_000  # events of a stream in memory at once


class NoSuchMoment(ValueError):
    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no moment: say v3 for a version, p1234 for a position, 2026-01-31T12:00:00Z")


@dataclass(frozen=True, slots=True)
class AtVersion:
    version: int

    def __str__(self) -> str:
        return f"version {self.version}"


@dataclass(frozen=True, slots=True)
class AtPosition:
    position: int

    def __str__(self) -> str:
        return f"position {self.position}"


@dataclass(frozen=True, slots=True)
class AtTime:
    time: datetime

    def __str__(self) -> str:
        return self.time.isoformat()


Moment = AtVersion | AtPosition | AtTime


def moment(text: str) -> Moment:
    """`v3`, `p1234`, or a time in ISO 8601, which is UTC where it says nothing else. Raises NoSuchMoment."""
    if text[1:].isdecimal() and text[0] in "vp":
        number = int(text[1:]) if len(text) <= LONGEST_NUMBER else 2**63 - 1
        return AtVersion(number) if text[0] == "v" else AtPosition(number)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise NoSuchMoment(text) from None
    return AtTime(time if time.tzinfo else time.replace(tzinfo=UTC))


class Stream(Protocol):
    """The log of a context, as far as one aggregate goes."""

    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]: ...

    async def position_at(self, at: datetime) -> int:
        """The last position recorded at or before a time."""
        ...


@dataclass(frozen=True, slots=True)
class AsOf:
    """An aggregate as it was: its state, and the last event that had happened to it."""

    state: Any
    last: Recorded


class NotReadable(Exception):
    """An event of the stream cannot be read by this release, so nothing after it can be shown."""

    def __init__(self, recorded: Recorded, reason: str) -> None:
        event = recorded.event
        self.version = event.originator_version
        self.position = recorded.position
        super().__init__(f"version {event.originator_version} (position {recorded.position}) cannot be read: {reason}")


async def as_of(context: Context, log: Stream, id: UUID, at: Moment | None = None) -> AsOf | None:
    """From the log and the aggregate's own fold; None if there was no such aggregate yet. Without a moment: as it is.

    Snapshots are left alone: an older release may have made them. Raises NotReadable.
    """
    state, last = None, None
    async for events in stretches(log, id, at):
        state, last = folded(context, state, events), events[-1]
    return None if last is None else AsOf(state, last)


async def stretches(
    log: Stream, id: UUID, at: Moment | None = None, *, after: int = 0, chunk: int = CHUNK
) -> AsyncIterator[list[Recorded]]:
    """The events of one stream that belong to a moment, in order, `chunk` at a time; none of a stretch is empty.

    `after` is the version behind which they begin.
    """
    versions, upto = await bounds(log, at)
    version = after
    while version < versions:
        events = await log.stream(id, version, upto, min(chunk, versions - version))
        if events:
            yield events
        if len(events) < chunk:
            return
        version = events[-1].event.originator_version


async def bounds(log: Stream, at: Moment | None) -> tuple[int, int | None]:
    """The last version and the last position that belong to it."""
    match at:
        case AtVersion(version):
            return version, None
        case AtPosition(position):
            return 2**63, position
        case AtTime(time):
            return 2**63, await log.position_at(time)
    return 2**63, None


def folded(context: Context, state: Any, events: Iterable[Recorded]) -> Any:
    """The state after these events of one stream. Raises NotReadable."""
    for recorded in events:
        if isinstance(recorded.event, Unreadable):
            raise NotReadable(recorded, recorded.event.reason)
        state = context.evolve(state, recorded.event)
    return state


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is not the same in two states; its place as `lines.0.quantity`. Absent is None."""

    place: str
    before: JsonValue
    after: JsonValue


def difference(before: Any, after: Any) -> list[Change]:
    """What must change in one state, as `plain` gives it, to make the other."""
    return list(_changes("", before, after))


def _changes(place: str, before: Any, after: Any) -> Iterable[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(k for k in after if k not in before)]:
            yield from _changes(f"{place}.{key}" if place else key, before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        for n in range(max(len(before), len(after))):
            pair = (side[n] if n < len(side) else None for side in (before, after))
            yield from _changes(f"{place}.{n}" if place else str(n), *pair)
    elif before != after:
        yield Change(place, before, after)


def plain(value: Any, *, erased: str = "(erased)") -> Any:
    """A state as JSON, for people; `erased` stands where a personal field could not be read."""
    if isinstance(value, Erased):
        return erased
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name), erased=erased) for name in type(value).model_fields}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), erased=erased) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(of, erased=erased) for key, of in sorted(value.items(), key=_name)}
    if isinstance(value, set | frozenset):
        return sorted((plain(one, erased=erased) for one in value), key=str)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(one, erased=erased) for one in value]
    return value if isinstance(value, str | int | float | None) else _written(value)


def _name(item: tuple[Any, Any]) -> str:
    return str(item[0])


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else value.hex() if isinstance(value, bytes) else str(value)
