"""What each command about credentials needs and decides.

A wrong password and a token that comes twice are recorded, so they are no refusals here: the answer's status tells, and
`commands/users/sessions.py` refuses in its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from commands.handler import Answer, Decision, Handler, Ids
from commands.users.messages import Checked, EndSession, OpenSession, RefreshSession, SetPassword
from domain.aggregate import States
from domain.users import passwords, sessions
from domain.users.credentials import Credentials, Policy
from domain.users.errors import AccountNotActive, SessionOver
from domain.users.events import SessionEnd
from domain.users.user import Status, User

OPEN: Final = "OPEN"
OVER: Final = "OVER"
REFUSED: Final = "REFUSED"

K = TypeVar("K", bound=Checked)


class PasswordChecked(Handler[K]):
    """Of the commands that follow from a password: a wrong one is recorded, and locks the account after a few."""

    of = Credentials

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def needs(self, command: K, states: States) -> Iterable[UUID]:
        return command.target, command.user_id

    def decide(self, command: K, states: States, at: datetime, ids: Ids) -> Decision:
        credentials = states[command.target, Credentials]
        if not command.right:
            return sessions.fail(credentials, policy=self._policy, at=at)
        if credentials.locked(at) or credentials.password_hash != command.against:
            return None  # no longer right, and no failure of theirs
        require_active(states[command.user_id, User])
        return self.go_on(command, credentials, at)

    def go_on(self, command: K, credentials: Credentials, at: datetime) -> Decision:
        raise NotImplementedError


class Open(PasswordChecked[OpenSession]):
    def go_on(self, command: OpenSession, credentials: Credentials, at: datetime) -> Decision:
        return sessions.sign_in(credentials, command.session_id, command.token_hash, policy=self._policy, at=at)

    def answer(self, command: OpenSession, states: States) -> Answer:
        credentials = states[command.target, Credentials]
        opened = credentials.session(command.session_id) is not None
        return Answer(command.session_id, credentials.version, OPEN if opened else REFUSED)


class ChangeHash(PasswordChecked[SetPassword]):
    """Answers with the user: it is the user's page that was posted to."""

    def go_on(self, command: SetPassword, credentials: Credentials, at: datetime) -> Decision:
        return passwords.change_password(credentials, command.password_hash, at=at)

    def answer(self, command: SetPassword, states: States) -> Answer:
        user = states[command.user_id, User]
        changed = states[command.target, Credentials].password_hash == command.password_hash
        return Answer(user.id, user.version, user.status.name if changed else REFUSED)


class RefreshOne(Handler[RefreshSession]):
    of = Credentials

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def needs(self, command: RefreshSession, states: States) -> Iterable[UUID]:
        return command.target, command.user_id

    def decide(self, command: RefreshSession, states: States, at: datetime, ids: Ids) -> Decision:
        credentials, user = states.get(command.target, Credentials), states.get(command.user_id, User)
        if credentials is None or user is None:
            raise SessionOver
        refreshed = sessions.refresh(
            credentials, command.session_id, command.token_hash, command.next_hash, policy=self._policy, at=at
        )
        require_active(user)
        return refreshed

    def answer(self, command: RefreshSession, states: States) -> Answer:
        credentials = states[command.target, Credentials]
        session = credentials.session(command.session_id)
        alive = session is not None and session.token_hash == command.next_hash
        return Answer(command.session_id, credentials.version, OPEN if alive else REFUSED)


class End(Handler[EndSession]):
    of = Credentials

    def decide(self, command: EndSession, states: States, at: datetime, ids: Ids) -> Decision:
        credentials = self._credentials(command, states)
        if command.everywhere and credentials.holds(command.session_id, command.token_hash, at):
            return sessions.end_all_sessions(credentials, SessionEnd.SIGNED_OUT, at=at)
        return sessions.sign_out(credentials, command.session_id, command.token_hash, at=at)

    def answer(self, command: EndSession, states: States) -> Answer:
        return Answer(command.session_id, self._credentials(command, states).version, OVER)

    def _credentials(self, command: EndSession, states: States) -> Credentials:
        credentials = states.get(command.target, Credentials)
        if credentials is None:
            raise SessionOver
        return credentials


def require_active(user: User) -> None:
    if user.status is not Status.ACTIVE:
        raise AccountNotActive(user.status.name)
