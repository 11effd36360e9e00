"""An event as a Kafka message: CloudEvents in binary mode, with the value as the log has it, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
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


def place(headers: Mapping[str, bytes]) -> Place | None:
    """None for a message that is none of ours."""
    try:
        return Place(
            incarnation_of(headers["incarnation"]),
            int(headers["slice"]),
            int(headers["position"]),
            int(headers["previous"]),
        )
    except (KeyError, ValueError):
        return None


def stored(headers: Mapping[str, bytes], value: bytes) -> Stored:
    """The event of a message. Raises KeyError, ValueError for one that is malformed."""
    causation, traceparent = headers.get("causation-id"), headers.get("traceparent")
    return Stored(
        int(headers["position"]),
        UUID(headers["ce_subject"].decode()),
        int(headers["event-version"]),
        headers["ce_type"].decode(),
        value,
        UUID(headers["ce_id"].decode()),
        datetime.fromisoformat(headers["ce_time"].decode()),
        headers.get("correlation-id", b"").decode(),
        UUID(causation.decode()) if causation else None,
        headers.get("actor", b"").decode(),
        traceparent.decode() if traceparent else None,
    )


@lru_cache(16)
def incarnation_of(header: bytes) -> UUID:
    return UUID(header.decode())
