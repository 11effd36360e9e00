"""Brings sagas what they hear of other contexts: a consumer whose sink is another log.

The inputs of a batch are appended to their sagas before the checkpoint moves; what comes again after a crash has an id
that its saga has seen. An event that cannot be read parks its aggregate, as for every consumer. What makes a saga's own
rules fail parks the saga, in its own stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from commands.reply import Envelope
from commands.sagas.messages import DeliverInput
from commands.services import Loop
from domain.actor import service
from domain.event import EVENT_TYPES
from domain.sagas.events import InputKind
from projections.feed import Recorded, Unreadable
from projections.model import CannotApply
from projections.pool import Connection
from projections.sink import Writing
from sagas.process import Hearing, Process, told
from sagas.processes import hearings

CONSUMER: Final = "sagas"
ORCHESTRATOR: Final = service("sagas")


class SagaSink:
    """One for each context: `Consumer(SagaSink(processes, sagas), feed, pool)`. `sagas` is the write loop of sagas.

    Without one it only reads: what a retry would come to, and delivers nothing.
    """

    name = CONSUMER

    def __init__(self, processes: Mapping[str, Process], sagas: Loop | None) -> None:
        self._processes = processes
        self._sagas = sagas
        self._heard = {event.TOPIC for process in processes.values() for event in process.hearings}

    def begin(self, batch: Sequence[Recorded]) -> Writing:
        return _Delivering(self)

    def deliveries(self, recorded: Recorded) -> list[Envelope]:
        """Raises CannotApply for an event that a process listens for and that cannot be read."""
        event = recorded.event
        if isinstance(event, Unreadable):
            if event.topic in self._heard:
                raise CannotApply(event.reason)
            return []
        return list(self._delivered(recorded))

    def _delivered(self, recorded: Recorded) -> Iterator[Envelope]:
        for hearing in hearings(self._processes, type(recorded.event)):
            fact = hearing.fact(recorded.event)
            if fact is not None:
                yield delivery(hearing, recorded, DeliverInput(
                    id=hearing.saga(recorded.event),
                    process=hearing.process,
                    key=hearing.key(recorded.event),
                    input_id=recorded.event_id,
                    kind=InputKind.FACT,
                    name=fact.NAME,
                    facts=told(fact),
                    opens=hearing.opens,
                ))  # fmt: skip

    async def deliver(self, envelopes: Sequence[Envelope]) -> None:
        """In order for each saga. Raises what the loop raises when the log is away: the batch comes again."""
        if self._sagas is None:
            return
        for reply in await asyncio.gather(*(self._sagas.submit(envelope) for envelope in envelopes)):
            reply.result()


def delivery(hearing: Hearing, recorded: Recorded, command: DeliverInput) -> Envelope:
    return Envelope(
        command.bind(by=ORCHESTRATOR),
        recorded.correlation_id,
        causation_id=recorded.event_id,
        traceparent=recorded.traceparent,
    )


class _Delivering:
    def __init__(self, sink: SagaSink) -> None:
        self._sink = sink
        self._envelopes: list[Envelope] = []

    async def load(self, connection: Connection) -> None:
        pass

    async def loaded(self) -> None:
        pass

    def fold(self, recorded: Recorded) -> None:
        self._envelopes += self._sink.deliveries(recorded)

    async def save(self, connection: Connection) -> None:
        if self._envelopes:
            await self._sink.deliver(self._envelopes)


def contexts(processes: Mapping[str, Process]) -> list[str]:
    """Whose logs are listened to."""
    topics = {event.TOPIC for process in processes.values() for event in process.hearings}
    return sorted({topic.partition(".")[0] for topic in topics if topic in EVENT_TYPES})
