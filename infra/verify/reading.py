"""Whether stored events can be read by this release, said without showing what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from pydantic import ValidationError

from domain.event import NewerSchema, UnknownEventType
from infra.event_log.log import KeyStore
from infra.event_log.mapper import EventMapper
from infra.event_log.reader import possible_owner
from infra.keys import KeyNotLoaded, UnknownKey
from infra.verify.finding import Code

Stored = tuple[UUID, int, str, bytes]
"""Stream, version, event type and state."""


class Reading:
    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._mapper = EventMapper(keys)

    async def prepared(self, stored: Iterable[Stored]) -> frozenset[UUID]:
        """Fetches the keys these events need. The owners there never was a key for. Raises WrongMasterKey."""
        try:
            await self._keys.prefetch({owner for one in stored if (owner := possible_owner(one[3]))})
        except UnknownKey as error:
            return error.owners
        return frozenset()

    def fault(self, stored: Stored, unknown: frozenset[UUID]) -> tuple[Code, str] | None:
        """What keeps this event from being read. Its keys have been prepared."""
        owner = possible_owner(stored[3])
        if owner in unknown:
            return Code.KEY_UNKNOWN, f"{stored[2]}: there never was a key of user {owner}"
        try:
            self._mapper.decode(*stored)
        except KeyNotLoaded:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, consumers cannot read it either
            return Code.UNREADABLE, f"{stored[2]}: {told(error)}"
        return None


def told(error: Exception) -> str:
    """Names what is wrong, never a value: it may be about a person."""
    match error:
        case UnknownEventType() | NewerSchema():
            return str(error)
        case ValidationError():
            faults: Sequence[str] = [
                f"{'.'.join(map(str, fault['loc'])) or 'state'}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_input=False, include_context=False)
            ]
            return "; ".join(faults[:3])
        case InvalidTag():
            return "the sealed fields were altered, or belong to another place"
        case _:
            return f"the state cannot be read ({type(error).__name__})"
