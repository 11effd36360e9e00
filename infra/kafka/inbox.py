"""What came from a topic and is not applied yet: told apart, put in order, and the offsets that may be committed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from infra.event_log.reader import Stored
from infra.kafka.message import Message, place, stored
from projections.checkpoint import Checkpoint


class Arrived(NamedTuple):
    """A message's place on the topic and in the log. A slice below 0 stands for what is nothing to this consumer."""

    offset: int
    slice: int
    position: int


@dataclass(frozen=True, slots=True)
class Held:
    previous: int
    partition: int
    event: Stored


class Inbox:
    """Messages may come twice, late, out of order and from several partitions; what is missing is named by `gaps`."""

    def __init__(self) -> None:
        self.held = 0
        self.bytes = 0
        self._slices: defaultdict[int, dict[int, Held]] = defaultdict(dict)
        self._in_log: dict[int, int] = {}  # slice: a position whose event only the log has
        self._arrived: defaultdict[int, deque[Arrived]] = defaultdict(deque)
        self._committed: dict[int, int] = {}

    def put(self, messages: Iterable[Message], checkpoint: Checkpoint) -> set[UUID]:
        """Takes what is beyond the checkpoint; gives the other incarnations it met."""
        strangers = set()
        for message in messages:
            headers = dict(message.headers)
            at = place(headers)
            if at is None or at.incarnation != checkpoint.incarnation:
                self._arrived[message.partition].append(Arrived(message.offset, -1, 0))
                if at is not None:
                    strangers.add(at.incarnation)
                continue
            self._arrived[message.partition].append(Arrived(message.offset, at.slice, at.position))
            if at.position > checkpoint.of(at.slice) and at.position not in self._slices[at.slice]:
                self._hold(message, headers, at.slice, at.position, at.previous)
        return strangers

    def _hold(self, message: Message, headers: dict[str, bytes], slice: int, position: int, previous: int) -> None:
        event = read(message, headers)
        if event is None:
            self._in_log[slice] = max(position, self._in_log.get(slice, 0))
            return
        self._slices[slice][position] = Held(previous, message.partition, event)
        self.held += 1
        self.bytes += len(event.state)

    def forget(self, partitions: Collection[int]) -> None:
        """Their messages belong to another worker now."""
        for partition in partitions:
            self._arrived.pop(partition, None)
            self._committed.pop(partition, None)
        for slice, events in self._slices.items():
            self._drop(slice, [position for position, held in events.items() if held.partition in partitions])

    def settle(self, checkpoint: Checkpoint) -> None:
        """Forgets what the checkpoint covers."""
        for slice, events in self._slices.items():
            done = checkpoint.of(slice)
            self._drop(slice, [position for position in events if position <= done])
        self._in_log = {slice: upto for slice, upto in self._in_log.items() if upto > checkpoint.of(slice)}
        for partition, arrived in self._arrived.items():
            while arrived and (arrived[0].slice < 0 or arrived[0].position <= checkpoint.of(arrived[0].slice)):
                self._committed[partition] = arrived.popleft().offset + 1

    def _drop(self, slice: int, positions: Iterable[int]) -> None:
        for position in positions:
            held = self._slices[slice].pop(position)
            self.held -= 1
            self.bytes -= len(held.event.state)

    def offsets(self) -> dict[int, int]:
        """By partition, where a worker that comes later may begin; given once."""
        given, self._committed = self._committed, {}
        return given

    def gaps(self, checkpoint: Checkpoint) -> dict[int, int]:
        """The slices whose next event is not here, and up to which position the log must be read for them."""
        gaps = {}
        for slice, events in self._slices.items():
            if events and (previous := events[min(events)].previous) > checkpoint.of(slice):
                gaps[slice] = previous
        for slice, position in self._in_log.items():
            if slice not in gaps and not any(self._chain(slice, checkpoint.of(slice))):
                gaps[slice] = position
        return gaps

    def has(self, slice: int) -> bool:
        return bool(self._slices.get(slice))

    def take(self, checkpoint: Checkpoint, limit: int) -> list[tuple[int, Stored]]:
        """The next events with their slices, at most `limit`, of each slice in order and without a gap."""
        ready = [
            (event.position, slice, event)
            for slice in list(self._slices)
            for event in self._chain(slice, checkpoint.of(slice))
        ]
        ready.sort(key=lambda one: one[0])
        return [(slice, event) for _, slice, event in ready[:limit]]

    def _chain(self, slice: int, done: int) -> Iterator[Stored]:
        """From the checkpoint on, each naming the one before."""
        events = self._slices.get(slice, {})
        for position in sorted(events):
            held = events[position]
            if held.previous > done:
                return
            if position > done:
                yield held.event
                done = position


def read(message: Message, headers: dict[str, bytes]) -> Stored | None:
    """None for one that only the log can tell: too large for the topic, or malformed."""
    try:
        return stored(headers, message.value) if message.value is not None else None
    except (KeyError, ValueError):
        return None
