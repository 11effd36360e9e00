"""What comes before and after the write loop when an account is made or erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commands.handler import Answer
from commands.services import Services
from commands.users.messages import CreateAccount, EraseUser, RegisterUser
from domain.ids import UserId
from domain.users.values import Settings, normalised


async def new_account(message: RegisterUser, services: Services) -> CreateAccount:
    """The key must be there before the first event that is sealed under it."""
    await services.keys.create(message.id)
    return CreateAccount(
        id=message.id,
        email=message.email,
        name=message.name,
        settings=Settings(locale=message.locale),
        email_claim=services.claims.claim_id("email", normalised(message.email)),
        password_hash=await services.passwords.hash(message.password.get_secret_value()),
    )


async def forgotten(command: EraseUser, answer: Answer, services: Services) -> Mapping[str, Any]:
    """Whoever erases an erased user again, after a crash between the two, gets this done too."""
    await services.keys.destroy(UserId(answer.id))
    return {}
