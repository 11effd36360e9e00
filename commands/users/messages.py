"""What can be asked for about users. The second half is what `prepare` makes of messages that carry secrets."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, SecretStr

from commands.message import Command
from domain.actor import Role
from domain.ids import ClaimId, UserId, new_id
from domain.users.values import Email, Locale, Place, Profile, Settings
from domain.value import Address, Line, Name, Reason

Password = Annotated[SecretStr, Field(min_length=8, max_length=256)]
MailedToken = Annotated[SecretStr, Field(min_length=1, max_length=100)]
AnyPassword = Annotated[SecretStr, Field(max_length=256)]
RefreshToken = Annotated[SecretStr, Field(min_length=1, max_length=500)]


def new_user_id() -> UserId:
    return UserId(new_id())


# --- the user ---------------------------------------------------------------------------------------------------------


class RegisterUser(Command):
    id: UserId = Field(default_factory=new_user_id)
    email: Email
    password: Password
    name: Name
    locale: Locale = "en"


class ChangeProfile(Command):
    """The whole profile: what is left out is gone."""

    profile: Profile


class ChangeSettings(Command):
    settings: Settings


class AddAddress(Command):
    address_id: UUID = Field(default_factory=new_id)
    address: Address


class ChangeAddress(Command):
    address_id: UUID
    address: Address


class RemoveAddress(Command):
    address_id: UUID


class ChooseDefaultAddress(Command):
    address_id: UUID


class GrantRole(Command):
    role: Role
    reason: Reason | None = None


class RevokeRole(Command):
    role: Role
    reason: Reason | None = None


class ActivateUser(Command):
    """With the token of the link that was mailed on registering."""

    token: MailedToken


class SuspendUser(Command):
    reason: Line


class ReinstateUser(Command):
    reason: Line


class EraseUser(Command):
    """There is no way back."""


class ChangePassword(Command):
    old_password: AnyPassword
    new_password: Password


class AskReset(Command):
    """A link to set a new password is mailed, if there is an account with this address: the answer does not tell."""

    email: Annotated[str, Field(max_length=1000)]


class ResetPassword(Command):
    """With the token of the mailed link, which is good once. Every session ends."""

    user_id: UserId
    token: MailedToken
    password: Password


# --- sessions ---------------------------------------------------------------------------------------------------------


class SignIn(Command):
    email: Annotated[str, Field(max_length=1000)]
    password: AnyPassword


class Refresh(Command):
    refresh_token: RefreshToken


class SignOut(Command):
    """`everywhere` ends all sessions of the user, not just the token's."""

    refresh_token: RefreshToken
    everywhere: bool = False


# --- prepared: secrets are hashed or checked already ------------------------------------------------------------------


class CreateAccount(Command):
    id: UserId
    email: str = Field(repr=False)
    name: str = Field(repr=False)
    settings: Settings
    email_claim: ClaimId
    password_hash: str = Field(repr=False)


class CompleteErasure(Command):
    """A process of ours has cleared away what was known of an erased user: it writes the receipt."""

    key_destroyed_at: AwareDatetime
    places: tuple[Place, ...]


class Checked(Command):
    """A password was compared with `against`, the hash that was there a moment ago. The target are the credentials."""

    user_id: UserId
    right: bool
    against: str | None = Field(repr=False)


class OpenSession(Checked):
    """`began` is when the request came, in the time of the event loop."""

    session_id: UUID
    token_hash: str
    refresh_token: str = Field(repr=False)
    began: float


class SetPassword(Checked):
    """`password_hash` is of the new password."""

    password_hash: str = Field(repr=False)


class MarkActivated(Command):
    """The token was right."""


class RequestReset(Command):
    """The target are the credentials, or nobody's. `began` is when the request came, in the time of the event loop."""

    began: float


class ResetHash(Command):
    """`password_hash` is of the new password; the target are the credentials."""

    user_id: UserId
    token_hash: str
    password_hash: str = Field(repr=False)


class RefreshSession(Command):
    user_id: UserId
    session_id: UUID
    token_hash: str
    next_hash: str
    refresh_token: str = Field(repr=False)


class EndSession(Command):
    session_id: UUID
    token_hash: str
    everywhere: bool
