"""The form of an exported log: JSON Lines, one canonical line for each event, so that equal logs have equal digests.

    {"chobo":"log","format":1,"context":"orders","incarnation":"...","head":3,"madeAt":"..."}
    {"position":1,"stream":"...","version":1,"type":"orders.order-placed","state":"{...}","eventId":"...",...}
    {"reply":"<key>","digest":"<hex>","body":"<base64>","first":1,"keepUntil":"...","recordedAt":"..."}
    {"end":"log","events":3,"replies":1,"digest":"sha256:..."}

The state is the stored bytes as text, personal fields sealed; bytes that are no text come as `stateBase64` instead. The
digest is SHA-256 over all lines before the last, line ends included.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic_core import from_json, to_json

from infra.transfer.files import NotWhole

FORMAT: Final = 1

EVENT_COLUMNS: Final = (
    "notification_id", "originator_id", "originator_version", "topic", "state", "event_id", "recorded_at",
    "correlation_id", "causation_id", "actor", "traceparent",
)  # fmt: skip
EVENT_TYPES: Final = ("int8", "uuid", "int8", "text", "bytea", "uuid", "timestamptz", "text", "uuid", "text", "text")
REPLY_COLUMNS: Final = ("key", "digest", "body", "first", "keep_until", "recorded_at")
REPLY_TYPES: Final = ("uuid", "bytea", "bytea", "int8", "timestamptz", "timestamptz")

Row = Sequence[Any]
T = TypeVar("T")


class NotALog(NotWhole):
    """The file is no log that can be taken in."""


@dataclass(frozen=True, slots=True)
class Header:
    context: str
    incarnation: UUID
    head: int
    made_at: datetime

    def line(self) -> bytes:
        return json_line(
            {
                "chobo": "log",
                "format": FORMAT,
                "context": self.context,
                "incarnation": str(self.incarnation),
                "head": self.head,
                "madeAt": as_text(self.made_at),
            }
        )


@dataclass(frozen=True, slots=True)
class Footer:
    events: int
    replies: int
    digest: str

    def line(self) -> bytes:
        return json_line({"end": "log", "events": self.events, "replies": self.replies, "digest": self.digest})


class Digest:
    """Of the lines so far, with how many there were of each kind."""

    def __init__(self, header: Header) -> None:
        self._sha = hashlib.sha256(header.line())
        self.events = 0
        self.replies = 0

    def event(self, line: bytes) -> None:
        self._sha.update(line)
        self.events += 1

    def reply(self, line: bytes) -> None:
        self._sha.update(line)
        self.replies += 1

    def footer(self) -> Footer:
        return Footer(self.events, self.replies, f"sha256:{self._sha.hexdigest()}")


def event_line(row: Row) -> bytes:
    """Of a row of EVENT_COLUMNS."""
    position, stream, version, topic, state, event_id, recorded_at, correlation, causation, actor, traceparent = row
    return json_line(
        {
            "position": position,
            "stream": str(stream),
            "version": version,
            "type": topic,
            **_state(state),
            "eventId": str(event_id),
            "recordedAt": as_text(recorded_at),
            "correlationId": correlation,
            "causationId": optional(str, causation),
            "actor": actor,
            "traceparent": traceparent,
        }
    )


def reply_line(row: Row) -> bytes:
    """Of a row of REPLY_COLUMNS."""
    key, digest, body, first, keep_until, recorded_at = row
    return json_line(
        {
            "reply": str(key),
            "digest": digest.hex(),
            "body": b64encode(body).decode(),
            "first": first,
            "keepUntil": optional(as_text, keep_until),
            "recordedAt": as_text(recorded_at),
        }
    )


def header_of(line: bytes) -> Header:
    """Raises NotALog for anything that this release did not write."""
    found = json_object(line, 1)
    if found.get("chobo") != "log":
        raise NotALog("the first line is not the header of an exported log")
    if not isinstance(form := found.get("format"), int) or form > FORMAT:
        raise NotALog(f"the file has format {form}, this release reads up to {FORMAT}: import it with a later release")
    try:
        return Header(
            found["context"], UUID(found["incarnation"]), int(found["head"]), datetime.fromisoformat(found["madeAt"])
        )
    except (KeyError, ValueError, TypeError) as error:
        raise NotALog(f"the header is damaged: {error}") from None


@dataclass(frozen=True, slots=True)
class Parsed:
    """One line after the header: exactly one of them."""

    event: Row | None = None
    reply: Row | None = None
    footer: Footer | None = None


def parsed(line: bytes, number: int) -> Parsed:
    """Raises NotALog."""
    found = json_object(line, number)
    try:
        if "position" in found:
            return Parsed(event=_event(found))
        if "reply" in found:
            return Parsed(reply=_reply(found))
        if found.get("end") == "log":
            return Parsed(footer=Footer(int(found["events"]), int(found["replies"]), str(found["digest"])))
    except (KeyError, ValueError, TypeError) as error:
        raise NotALog(f"line {number} is damaged: {type(error).__name__} {error}") from None
    raise NotALog(f"line {number} is neither an event nor a reply nor the end")


def _event(found: Mapping[str, Any]) -> Row:
    state = b64decode(found["stateBase64"]) if "stateBase64" in found else found["state"].encode()
    return (
        int(found["position"]),
        UUID(found["stream"]),
        int(found["version"]),
        str(found["type"]),
        state,
        UUID(found["eventId"]),
        datetime.fromisoformat(found["recordedAt"]),
        optional(str, found["correlationId"]),
        optional(UUID, found["causationId"]),
        optional(str, found["actor"]),
        optional(str, found["traceparent"]),
    )


def _reply(found: Mapping[str, Any]) -> Row:
    return (
        UUID(found["reply"]),
        bytes.fromhex(found["digest"]),
        b64decode(found["body"]),
        optional(int, found["first"]),
        optional(datetime.fromisoformat, found["keepUntil"]),
        datetime.fromisoformat(found["recordedAt"]),
    )


def json_object(line: bytes, number: int) -> Mapping[str, Any]:
    """Raises NotWhole."""
    try:
        found = from_json(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not line.endswith(b"\n"):
        raise NotWhole(f"line {number} is cut off or not JSON")
    return found


def optional(read: Callable[[Any], T], value: Any) -> T | None:
    return None if value is None else read(value)


def _state(state: bytes) -> dict[str, str]:
    try:
        return {"state": state.decode()}
    except UnicodeDecodeError:
        return {"stateBase64": b64encode(state).decode()}


def as_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def json_line(value: Mapping[str, Any]) -> bytes:
    return to_json(value) + b"\n"
