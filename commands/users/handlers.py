"""What each command about a user needs and decides."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from commands.handler import Decision, Handler, Handlers, Ids
from commands.message import Command
from commands.users.messages import (
    AddAddress,
    ChangeAddress,
    ChangeProfile,
    ChangeSettings,
    ChooseDefaultAddress,
    CompleteErasure,
    CreateAccount,
    EndSession,
    EraseUser,
    GrantRole,
    MarkActivated,
    OpenSession,
    RefreshSession,
    ReinstateUser,
    RemoveAddress,
    RequestReset,
    ResetHash,
    RevokeRole,
    SetPassword,
    SuspendUser,
)
from commands.users.reset_handlers import AskForLink, ResetByLink, TokenHash, no_links
from commands.users.session_handlers import ChangeHash, End, Open, RefreshOne
from domain.actor import Role
from domain.aggregate import States
from domain.claim import Claim
from domain.errors import NotFound
from domain.event import Event
from domain.users import user as users
from domain.users.credentials import DEFAULT_POLICY, Credentials, Policy, close, credentials_id
from domain.users.email import claim_email, release_email
from domain.users.events import SessionEnd
from domain.users.passwords import set_password
from domain.users.sessions import end_all_sessions
from domain.users.user import User


class Create(Handler[CreateAccount]):
    """An account that a process of ours makes, as the first operator's, needs no link."""

    of = User

    def __init__(self, *, activated: bool) -> None:
        self._activated = activated

    def needs(self, command: CreateAccount, states: States) -> Iterable[UUID]:
        return command.id, command.email_claim, credentials_id(command.id)

    def decide(self, command: CreateAccount, states: States, at: datetime, ids: Ids) -> Decision:
        registered = users.register(
            states.get(command.id, User),
            command.id,
            command.email,
            command.name,
            command.email_claim,
            command.settings,
            activated=self._activated or command.by.has(Role.SERVICE),
            at=at,
        )
        claimed = claim_email(states.get(command.email_claim, Claim), command.email_claim, command.id, at=at)
        mine = states.get(credentials_id(command.id), Credentials)
        return some(*registered, claimed, set_password(mine, command.id, command.password_hash, at=at))


class Activate(Handler[MarkActivated]):
    of = User

    def decide(self, command: MarkActivated, states: States, at: datetime, ids: Ids) -> Decision:
        return users.activate(states[command.target, User], at=at)


class EditProfile(Handler[ChangeProfile]):
    of = User

    def decide(self, command: ChangeProfile, states: States, at: datetime, ids: Ids) -> Decision:
        return users.change_profile(own(command, states), command.profile, at=at)


class EditSettings(Handler[ChangeSettings]):
    of = User

    def decide(self, command: ChangeSettings, states: States, at: datetime, ids: Ids) -> Decision:
        return users.change_settings(own(command, states), command.settings, at=at)


class Add(Handler[AddAddress]):
    of = User

    def decide(self, command: AddAddress, states: States, at: datetime, ids: Ids) -> Decision:
        return users.add_address(own(command, states), command.address_id, command.address, at=at)


class Change(Handler[ChangeAddress]):
    of = User

    def decide(self, command: ChangeAddress, states: States, at: datetime, ids: Ids) -> Decision:
        return users.change_address(own(command, states), command.address_id, command.address, at=at)


class Remove(Handler[RemoveAddress]):
    of = User

    def decide(self, command: RemoveAddress, states: States, at: datetime, ids: Ids) -> Decision:
        return users.remove_address(own(command, states), command.address_id, at=at)


class ChooseDefault(Handler[ChooseDefaultAddress]):
    of = User

    def decide(self, command: ChooseDefaultAddress, states: States, at: datetime, ids: Ids) -> Decision:
        return users.choose_default_address(own(command, states), command.address_id, at=at)


class Grant(Handler[GrantRole]):
    of = User

    def needs(self, command: GrantRole, states: States) -> Iterable[UUID]:
        return with_who_asks(command)

    def decide(self, command: GrantRole, states: States, at: datetime, ids: Ids) -> Decision:
        require_admin_still(command, states)
        return users.grant(states[command.target, User], command.role, command.by, command.reason, at=at)


class Revoke(Handler[RevokeRole]):
    of = User

    def needs(self, command: RevokeRole, states: States) -> Iterable[UUID]:
        return with_who_asks(command)

    def decide(self, command: RevokeRole, states: States, at: datetime, ids: Ids) -> Decision:
        require_admin_still(command, states)
        return users.revoke(states[command.target, User], command.role, command.by, command.reason, at=at)


def with_who_asks(command: Command) -> Iterable[UUID]:
    return (command.target, command.by.id) if command.by.id else (command.target,)


def require_admin_still(command: Command, states: States) -> None:
    """As the log has it, not the token: so of two admins who take the role from each other at once one is refused.

    Somebody whose account is not kept here, as a process of ours, is what their token says.
    """
    who = states.get(command.by.id, User) if command.by.id else None
    if who is not None:
        users.require_admin_still(who)


class Suspend(Handler[SuspendUser]):
    of = User

    def needs(self, command: SuspendUser, states: States) -> Iterable[UUID]:
        return command.target, credentials_id(command.target)

    def decide(self, command: SuspendUser, states: States, at: datetime, ids: Ids) -> Decision:
        user = states[command.target, User]
        suspended = users.suspend(user, command.reason, command.by, at=at)
        credentials = states[credentials_id(user.id), Credentials]
        return some(suspended, end_all_sessions(credentials, SessionEnd.SUSPENDED, at=at))


class Reinstate(Handler[ReinstateUser]):
    of = User

    def decide(self, command: ReinstateUser, states: States, at: datetime, ids: Ids) -> Decision:
        return users.reinstate(states[command.target, User], command.reason, command.by, at=at)


class Erase(Handler[EraseUser]):
    """Gives the e-mail address back and closes the credentials; the key is destroyed after the append."""

    of = User

    def needs(self, command: EraseUser, states: States) -> Iterable[UUID]:
        user = states.get(command.target, User)
        return (user.id, user.email_claim, credentials_id(user.id)) if user else (command.target,)

    def decide(self, command: EraseUser, states: States, at: datetime, ids: Ids) -> Decision:
        user = own(command, states, Role.ADMIN)
        return some(
            users.erase(user, command.by, at=at),
            release_email(states[user.email_claim, Claim], user.id, at=at),
            close(states[credentials_id(user.id), Credentials], at=at),
        )


class WriteReceipt(Handler[CompleteErasure]):
    of = User

    def decide(self, command: CompleteErasure, states: States, at: datetime, ids: Ids) -> Decision:
        user = states[command.target, User]
        return users.complete_erasure(user, command.key_destroyed_at, command.places, at=at)


def own(command: Command, states: States, *roles: Role) -> User:
    """The user, for themselves and for those with one of the roles (by default operators and admins).

    Other customers are told that there is no such user.
    """
    user, by = states[command.target, User], command.by
    if not by.may_touch(user.id):
        raise NotFound("user", user.id)
    users.require_own(user, by, *roles)
    return user


def some(*events: Event | None) -> list[Event]:
    return [event for event in events if event is not None]


def handlers(*, activated: bool = True, policy: Policy = DEFAULT_POLICY, reset_hash: TokenHash = no_links) -> Handlers:
    """`activated`: accounts need no mailed link. `policy`: lock-out, sessions, resets. `reset_hash`: of a token."""
    return {
        CreateAccount: Create(activated=activated),
        MarkActivated: Activate(),
        ChangeProfile: EditProfile(),
        ChangeSettings: EditSettings(),
        AddAddress: Add(),
        ChangeAddress: Change(),
        RemoveAddress: Remove(),
        ChooseDefaultAddress: ChooseDefault(),
        GrantRole: Grant(),
        RevokeRole: Revoke(),
        SuspendUser: Suspend(),
        ReinstateUser: Reinstate(),
        EraseUser: Erase(),
        CompleteErasure: WriteReceipt(),
        SetPassword: ChangeHash(policy),
        RequestReset: AskForLink(policy, reset_hash),
        ResetHash: ResetByLink(),
        OpenSession: Open(policy),
        RefreshSession: RefreshOne(policy),
        EndSession: End(),
    }


HANDLERS: Final = handlers()
