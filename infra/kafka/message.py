"""An event as a Kafka message: CloudEvents in binary mode, with the value as the log has it, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from infra.event_log.reader import Stored

SPECVERSION: Final = ("ce_specversion", b"1.0")

Header = tuple[str, bytes]


class Message(Protocol):
    """As the client hands it over."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[Header]: ...


class Place(NamedTuple):
    """Where a message belongs, as far as a feed must know before it decodes anything."""

    incarnation: UUID
    slice: int
    position: int
    previous: int


def source(context: str) -> Header:
    return "ce_source", f"/chobo/{context}".encode()


def slice_header(slice: int) -> Header:
    return "slice", str(slice).encode()


def place(headers: Sequence[Header]) -> Place | None:
    """None for a message that is none of ours."""
    found = dict(headers)
    try:
        return Place(
            UUID(found["incarnation"].decode()),
            int(found["slice"]),
            int(found["position"]),
            int(found["previous"]),
        )
    except (KeyError, ValueError):
        return None


def stored(message: Message) -> Stored:
    """The event of a message that has a place and a value. Raises KeyError, ValueError for one that is malformed."""
    found = dict(message.headers)
    causation, traceparent = found.get("causation-id"), found.get("traceparent")
    return Stored(
        int(found["position"]),
        UUID(found["ce_subject"].decode()),
        int(found["event-version"]),
        found["ce_type"].decode(),
        message.value or b"",
        UUID(found["ce_id"].decode()),
        datetime.fromisoformat(found["ce_time"].decode()),
        found["correlation-id"].decode() if "correlation-id" in found else "",
        UUID(causation.decode()) if causation else None,
        found["actor"].decode() if "actor" in found else "",
        traceparent.decode() if traceparent else None,
    )
