"""Events to stored bytes and back, on the eventsourcing library's mapper; personal fields go into a sealed box.

Stored state: the event's fields as JSON without its identity, `class_version` when above 1 (the library's convention),
and for events with personal fields `sealed`: `{"of": owner's id, "box": base64(nonce + AES-GCM)}` with the JSON of
those fields inside, bound to the event's place by the additional data `id/version`. Where they are nobody's (a reason
that a service gave) they stand with the others.
"""

from __future__ import annotations

import os
from base64 import b64encode
from binascii import a2b_base64
from typing import Any, Final, NamedTuple, Protocol, cast
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from domain.errors import DomainError
from domain.event import ERASED, JSON, Event, event_class, personal_fields, upcast

IDENTITY: Final = {"originator_id", "originator_version"}
NONCE: Final = 12
OF: Final = b',"sealed":{"of":"'
BOX: Final = b'","box":"'
END: Final = b'"}}'
"""What stands around owner and box where a sealed state ends, as written by this module: `Seal` needs no parser."""


class Keys(Protocol):
    """The keys of users, as far as they are at hand."""

    def get(self, owner: UUID) -> bytes | None:
        """The key, or None once it was destroyed. Raises when it is not at hand or not known."""
        ...


class EventMapper(Mapper[UUID]):
    def __init__(self, keys: Keys) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self._keys = keys
        self._plain: set[type[Event]] = set()  # stored as they are: nothing personal, first schema version

    def encode(self, event: Event) -> bytes:
        """The stored state. Raises what `keys.get` raises, and CannotSeal for an erased event."""
        cls = type(event)
        if cls in self._plain:
            return to_json(event, exclude=IDENTITY, by_alias=False)
        personal = personal_fields(cls)
        if not personal and cls.class_version == 1:
            self._plain.add(cls)
            return to_json(event, exclude=IDENTITY, by_alias=False)
        owner = event.owner if personal else None
        sealed = frozenset() if owner is None else personal
        state: JSON = event.model_dump(mode="json", exclude=IDENTITY | sealed)
        if cls.class_version > 1:
            state["class_version"] = cls.class_version
        if owner is not None:
            state["sealed"] = self._seal(event, owner, sealed)
        return to_json(state)

    def decode(self, id: UUID, version: int, topic: str, stored: bytes) -> Event:
        """The event, brought up to today's schema version.

        Raises UnknownEventType, NewerSchema, pydantic.ValidationError, and what `keys.get` raises.
        """
        cls = event_class(topic)
        if (fields := self._usual(cls, id, version, stored)) is not None:
            try:
                return cls.model_validate_json(b"{%b,%b}" % (fields, _identity(id, version)))
            except ValidationError:
                pass  # whatever is wrong with it is told of the state as it is stored
        state: JSON = from_json(stored)
        if sealed := state.pop("sealed", None):
            state |= self._open(sealed, id, version, cls)
        if cls.class_version > 1 or "class_version" in state:
            upcast(cls, state)
        state["originator_id"], state["originator_version"] = id, version
        return cls.model_validate(state)

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        event = cast(Event, domain_event)
        return StoredEvent(event.originator_id, event.originator_version, type(event).TOPIC, self.encode(event))

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        id = cast(UUID, stored_event.originator_id)
        return self.decode(id, stored_event.originator_version, stored_event.topic, stored_event.state)

    def _seal(self, event: Event, owner: UUID, personal: frozenset[str]) -> JSON:
        key = self._keys.get(owner)
        if key is None:
            raise CannotSeal(event)
        nonce = os.urandom(NONCE)
        fields = event.model_dump_json(include=set(personal)).encode()
        box = AESGCM(key).encrypt(nonce, fields, _place(event.originator_id, event.originator_version))
        return {"of": str(owner), "box": b64encode(nonce + box).decode()}

    def _usual(self, cls: type[Event], id: UUID, version: int, stored: bytes) -> bytes | None:
        """The members of the state's JSON, opened, if they need no upcasting and no erasing, as nearly all do.

        Whoever reads a whole log waits for this: an event is parsed once, and never made of Python's dictionaries.
        """
        if not (stored.startswith(b"{") and stored.endswith(b"}")):
            return None
        fields, personal = stored[1:-1], b""
        if seal := seal_of(stored):
            key = self._keys.get(seal.owner)
            if key is None:
                return None
            fields = stored[1 : seal.start]
            personal = b"," + _opened(key, seal.box(stored), id, version)[1:-1]
        if cls.class_version > 1:
            stamp = b',"class_version":%d' % cls.class_version
            if not fields.endswith(stamp):
                return None
            fields = fields[: -len(stamp)]
        return fields + personal

    def _open(self, sealed: JSON, id: UUID, version: int, cls: type[Event]) -> JSON:
        key = self._keys.get(UUID(sealed["of"]))
        if key is None:
            return dict.fromkeys(personal_fields(cls), ERASED)
        fields: JSON = from_json(_opened(key, a2b_base64(sealed["box"]), id, version))
        return fields


class Seal(NamedTuple):
    """The end of a sealed state as this module writes it: where it begins, and whose it is."""

    start: int
    owner: UUID

    def box(self, stored: bytes) -> bytes:
        """Raises ValueError."""
        return a2b_base64(stored[self.start + BEFORE_BOX : -len(END)])


BEFORE_BOX: Final = len(OF) + 36 + len(BOX)


def seal_of(stored: bytes) -> Seal | None:
    """None for a state that is not sealed, or not as this module does it."""
    if not stored.endswith(END):
        return None
    box = stored.rfind(b'"', 0, -len(END)) + 1
    start, owner, end = box - BEFORE_BOX, box - BEFORE_BOX + len(OF), box - len(BOX)
    if start < 0 or not stored.startswith(OF, start) or not stored.startswith(BOX, end):
        return None
    return Seal(start, UUID(stored[owner:end].decode()))


def owner_of(stored: bytes) -> UUID | None:
    """The user whose key a stored state needs, None when it has no personal fields."""
    if b'"sealed":' not in stored:
        return None
    if usual := seal_of(stored):
        return usual.owner
    sealed: dict[str, Any] | None = from_json(stored).get("sealed")
    return UUID(sealed["of"]) if isinstance(sealed, dict) and "of" in sealed else None


def _opened(key: bytes, box: bytes, id: UUID, version: int) -> bytes:
    """The JSON in a box. Raises InvalidTag."""
    return AESGCM(key).decrypt(box[:NONCE], box[NONCE:], _place(id, version))


def _identity(id: UUID, version: int) -> bytes:
    """As members of JSON. At the end of an object they count, whatever was there before."""
    return b'"originator_id":"%032x","originator_version":%d' % (id.int, version)


def _place(id: UUID, version: int) -> bytes:
    return f"{id}/{version}".encode()


class CannotSeal(DomainError):
    code = "OWNER_ERASED"
    title = "The person was erased"

    def __init__(self, event: Event) -> None:
        super().__init__(
            f"{event.owner} was erased: nothing personal is recorded about them any more", owner=str(event.owner)
        )
