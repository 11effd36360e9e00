"""Passwords and tokens on their way to and from the write loop: everything slow or secret about credentials.

Signing in goes claim -> user -> credentials on the write side. An unknown e-mail, a wrong password and a locked account
get one answer, at one time: a hash is computed for each, and a refusal leaves `REFUSAL` seconds after the request came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from commands.handler import Answer
from commands.services import Services
from commands.users.messages import (
    ChangePassword,
    EndSession,
    OpenSession,
    Refresh,
    RefreshSession,
    SetPassword,
    SignIn,
    SignOut,
)
from commands.users.refresh_token import Token, parsed
from commands.users.session_handlers import REFUSED, require_active
from domain.actor import Actor, Role
from domain.claim import Claim, ClaimStatus
from domain.errors import NotFound
from domain.ids import UserId, new_id
from domain.users.credentials import Credentials, credentials_id
from domain.users.errors import SessionOver, SignInRefused, WrongPassword
from domain.users.user import User
from domain.users.values import normalised

REFUSAL: Final = 0.25  # seconds; more than the slowest path to a refusal takes on a machine that is not overloaded


class UserFields(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    id: UserId
    roles: list[Role]


class SessionFields(BaseModel):
    """What a session's answer has beside its id. `expiresIn` is the access token's life in seconds."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the kind of token, not one
    access_token: str
    expires_in: int
    refresh_token: str
    user: UserFields


# --- signing in -------------------------------------------------------------------------------------------------------


async def check_password(message: SignIn, services: Services) -> OpenSession:
    """Raises SignInRefused for an unknown e-mail."""
    began = asyncio.get_running_loop().time()
    credentials = await credentials_by_email(message.email, services)
    right = await _right(credentials, message.password.get_secret_value(), services)
    if credentials is None:
        await in_step(began)
        raise SignInRefused
    secret, token_hash = services.tokens.new_refresh()
    session_id = new_id()
    return OpenSession(
        user_id=credentials.user_id,
        right=right,
        against=credentials.password_hash,
        session_id=session_id,
        token_hash=token_hash,
        refresh_token=str(Token(credentials.user_id, session_id, secret)),
        began=began,
    ).bind(by=Actor(credentials.user_id, frozenset({Role.CUSTOMER})) if right else message.by, target=credentials.id)


async def credentials_by_email(email: str, services: Services) -> Credentials | None:
    try:
        claim_id = services.claims.claim_id("email", normalised(email))
    except ValueError:
        return None
    claim = await services.states.get("users", claim_id)
    if not isinstance(claim, Claim) or claim.status is ClaimStatus.FREE:
        return None
    credentials = await services.states.get("users", credentials_id(claim.holder))
    return credentials if isinstance(credentials, Credentials) else None


async def _right(credentials: Credentials | None, password: str, services: Services) -> bool:
    return await services.passwords.verify(credentials.password_hash if credentials else None, password)


async def in_step(began: float) -> None:
    """Waits until an answer that must not tell anything by its time may leave."""
    await asyncio.sleep(began + REFUSAL - asyncio.get_running_loop().time())


async def signed_in(command: OpenSession, answer: Answer, services: Services) -> Mapping[str, Any]:
    if answer.status == REFUSED:
        await in_step(command.began)
        raise SignInRefused
    return await _session(command.user_id, command.refresh_token, services)


async def _session(user_id: UserId, refresh_token: str, services: Services) -> Mapping[str, Any]:
    """The roles are those of this moment."""
    user = await services.states.get("users", user_id)
    assert isinstance(user, User)
    require_active(user)
    access_token, expires_in = services.tokens.access(Actor(user.id, user.roles))
    fields = SessionFields(
        access_token=access_token,
        expires_in=expires_in,
        refresh_token=refresh_token,
        user=UserFields(id=user.id, roles=sorted(user.roles)),
    )
    return fields.model_dump(mode="json", by_alias=True)


# --- refreshing and signing out ---------------------------------------------------------------------------------------


async def next_token(message: Refresh, services: Services) -> RefreshSession:
    token = parsed(message.refresh_token.get_secret_value())
    secret, next_hash = services.tokens.new_refresh()
    return RefreshSession(
        user_id=token.user_id,
        session_id=token.session_id,
        token_hash=services.tokens.refresh_hash(token.secret),
        next_hash=next_hash,
        refresh_token=str(token._replace(secret=secret)),
    ).bind(by=message.by, target=credentials_id(token.user_id))


async def refreshed(command: RefreshSession, answer: Answer, services: Services) -> Mapping[str, Any]:
    if answer.status == REFUSED:
        raise SessionOver
    return await _session(command.user_id, command.refresh_token, services)


async def session_to_end(message: SignOut, services: Services) -> EndSession:
    token = parsed(message.refresh_token.get_secret_value())
    return EndSession(
        session_id=token.session_id,
        token_hash=services.tokens.refresh_hash(token.secret),
        everywhere=message.everywhere,
    ).bind(by=message.by, target=credentials_id(token.user_id))


# --- the password -----------------------------------------------------------------------------------------------------


async def check_old_password(message: ChangePassword, services: Services) -> SetPassword:
    """Only the user knows the old password, so nobody else is let as far as guessing at it."""
    if message.by.id != message.target:
        raise NotFound("user", message.target)
    id = credentials_id(message.target)
    credentials = await services.states.get("users", id)
    if not isinstance(credentials, Credentials):
        raise NotFound("user", message.target)
    right = await _right(credentials, message.old_password.get_secret_value(), services)
    return SetPassword(
        user_id=credentials.user_id,
        right=right,
        against=credentials.password_hash,
        password_hash=await services.passwords.hash(message.new_password.get_secret_value()) if right else "",
    ).bind(by=message.by, target=id)


async def password_changed(command: SetPassword, answer: Answer, services: Services) -> Mapping[str, Any]:
    if answer.status == REFUSED:
        raise WrongPassword
    return {}
