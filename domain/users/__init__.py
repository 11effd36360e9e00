"""Users: who they are, what they may do, and how they sign in."""

from __future__ import annotations

from typing import Final

from domain import claim
from domain.aggregate import Context
from domain.users import credentials, user
from domain.users.events import CredentialsEvent, EmailClaimed, EmailReleased, UserEvent

CONTEXT: Final = Context(
    "users",
    {
        UserEvent: user.evolve,
        CredentialsEvent: credentials.evolve,
        EmailClaimed: claim.evolve,
        EmailReleased: claim.evolve,
    },
)
