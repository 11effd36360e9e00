"""Who may do what here: as the command API says it, and what there is on pages only."""

from __future__ import annotations

from typing import Final

from commands import access
from commands.access import ADMINS, Who
from domain.actor import Actor

BULK: Final = "sagas:bulk"
PARKED_BULK: Final = "parked:bulk"
HERE: Final[dict[str, Who]] = {BULK: ADMINS, PARKED_BULK: ADMINS}


def may(actor: Actor, scope: str) -> bool:
    """What is in neither table may be done by nobody."""
    here = HERE.get(scope)
    return access.may(actor, scope) if here is None else not here.isdisjoint(actor.roles)
