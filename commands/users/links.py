"""What comes before and after the write loop where somebody follows, or asks for, a mailed link."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from commands.handler import Answer
from commands.services import Services
from commands.users.mailed_links import MailedLinks, token_hash
from commands.users.messages import ActivateUser, AskReset, MarkActivated, RequestReset, ResetHash, ResetPassword
from commands.users.sessions import credentials_by_email, in_step
from domain.ids import new_id
from domain.users.credentials import Credentials, credentials_id
from domain.users.errors import ActivationTokenNotGood, ResetTokenNotGood


async def check_activation(message: ActivateUser, services: Services) -> MarkActivated:
    """Raises ActivationTokenNotGood, for a user that there is not as well."""
    if not MailedLinks(services.claims).is_activation(message.target, message.token.get_secret_value()):
        raise ActivationTokenNotGood
    return MarkActivated()


async def asked_reset(message: AskReset, services: Services) -> RequestReset:
    began = asyncio.get_running_loop().time()
    credentials = await credentials_by_email(message.email, services)
    target = credentials.id if credentials else new_id()
    return RequestReset(began=began).bind(by=message.by, target=target)


async def answered_in_step(command: RequestReset, answer: Answer, services: Services) -> Mapping[str, Any]:
    await in_step(command.began)
    return {}


async def check_reset(message: ResetPassword, services: Services) -> ResetHash:
    """Raises ResetTokenNotGood before anything is hashed: this is open to anybody. The loop looks at it again."""
    id, given = credentials_id(message.user_id), token_hash(message.token.get_secret_value())
    credentials = await services.states.get("users", id)
    pending = credentials.reset if isinstance(credentials, Credentials) else None
    if pending is None or pending.token_hash != given:
        raise ResetTokenNotGood
    return ResetHash(
        user_id=message.user_id,
        token_hash=given,
        password_hash=await services.passwords.hash(message.password.get_secret_value()),
    ).bind(by=message.by, target=id)
