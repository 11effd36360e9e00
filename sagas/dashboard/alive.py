"""Whether somebody's session is still alive: the command API ended it, or did not, in the log of users.

Signing out ends it, here or elsewhere, and so do a new password, a suspension, erasure, and too many sign-ins after it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from commands.users.refresh_token import parsed
from domain import users
from domain.errors import DomainError
from domain.users.credentials import Credentials, credentials_id
from projections.feed import Recorded
from projections.history import NotReadable, folded
from sagas.dashboard.port import Log
from sagas.dashboard.session import Session

log: Final = logging.getLogger("chobo.dashboard")

MOST: Final = 1_000  # people whose sessions are remembered


@dataclass(frozen=True, slots=True)
class Known:
    """`last` is the event that it was folded up to."""

    credentials: Credentials
    last: UUID


class Alive:
    """Remembers each stream as far as it was read: at every look only what has come since is read, by an index."""

    def __init__(self, log: Log) -> None:
        """`log` is sealed: no hash of a password is ever opened here."""
        self._log = log
        self._known: OrderedDict[UUID, Known] = OrderedDict()

    async def is_alive(self, session: Session, now: datetime) -> bool:
        try:
            token = parsed(session.refresh)
        except DomainError:
            return False
        credentials = await self._credentials(credentials_id(session.user))
        found = credentials.session(token.session_id) if credentials else None
        return found is not None and token.user_id == session.user and now < found.expires_at

    async def _credentials(self, id: UUID) -> Credentials | None:
        known = self._known.get(id)
        after = known.credentials.version - 1 if known else 0
        found = await self._log.stream(id, after)
        if known and (not found or found[0].event_id != known.last):  # it is another log by now
            known, found = None, await self._log.stream(id)
        elif known:
            found = found[1:]
        return self._kept(id, known, found)

    def _kept(self, id: UUID, known: Known | None, found: Sequence[Recorded]) -> Credentials | None:
        """None where there is nothing, or something that cannot be read: that may have been its end."""
        try:
            credentials: Credentials | None = folded(users.CONTEXT, known.credentials if known else None, found)
        except NotReadable as error:
            log.warning("nobody with these credentials is let in: %s", error)
            return None
        if credentials is not None and found:
            self._known[id] = Known(credentials, found[-1].event_id)
            self._known.move_to_end(id)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return credentials
