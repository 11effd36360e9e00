"""Events to stored bytes and back, on the eventsourcing library's mapper; personal fields go into a sealed box.

Stored state: the event's fields as JSON without its identity, `class_version` when above 1 (the library's convention),
and for events with personal fields `sealed`: `{"of": owner's id, "box": base64(nonce + AES-GCM)}` with the JSON of
those fields inside, bound to the event's place by the additional data `id/version`. Where they are nobody's (a reason
that a service gave) they stand with the others.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from typing import Any, Final, Protocol, cast
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from pydantic_core import from_json, to_json

from domain.errors import DomainError
from domain.event import ERASED, JSON, Event, event_class, personal_fields, upcast

IDENTITY: Final = {"originator_id", "originator_version"}
NONCE: Final = 12
SEALED: Final = re.compile(rb',"sealed":\{"of":"([0-9a-f-]{36})","box":"[A-Za-z0-9+/=]*"\}\}$')
"""How a sealed state ends, written by this module: whose it is can be told without parsing it."""


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

    def _open(self, sealed: JSON, id: UUID, version: int, cls: type[Event]) -> JSON:
        key = self._keys.get(UUID(sealed["of"]))
        if key is None:
            return dict.fromkeys(personal_fields(cls), ERASED)
        box = b64decode(sealed["box"])
        fields: JSON = from_json(AESGCM(key).decrypt(box[:NONCE], box[NONCE:], _place(id, version)))
        return fields


def owner_of(stored: bytes) -> UUID | None:
    """The user whose key a stored state needs, None when it has no personal fields."""
    if b'"sealed":' not in stored:
        return None
    if usual := SEALED.search(stored):
        return UUID(usual[1].decode())
    sealed: dict[str, Any] | None = from_json(stored).get("sealed")
    return UUID(sealed["of"]) if isinstance(sealed, dict) and "of" in sealed else None


def _place(id: UUID, version: int) -> bytes:
    return f"{id}/{version}".encode()


class CannotSeal(DomainError):
    code = "OWNER_ERASED"
    title = "The person was erased"

    def __init__(self, event: Event) -> None:
        super().__init__(
            f"{event.owner} was erased: nothing personal is recorded about them any more", owner=str(event.owner)
        )
