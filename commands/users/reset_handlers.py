"""What each command about forgotten passwords needs and decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from commands.handler import Answer, Decision, Handler, Ids
from commands.users.messages import RequestReset, ResetHash
from domain.aggregate import States
from domain.users import passwords
from domain.users.credentials import Credentials, Policy, Status
from domain.users.errors import ResetTokenNotGood
from domain.users.user import User

ASKED: Final = "ASKED"

TokenHash = Callable[[UUID, int], str]
"""From the credentials and the version of the event to the hash of the token that is mailed for it."""


def no_links(credentials_id: UUID, version: int) -> str:
    raise LookupError("this process was not told how the tokens of mailed links are made")


class AskForLink(Handler[RequestReset]):
    """Nobody's credentials are asked for like anybody's, and nothing follows: no answer tells one from the other."""

    of = Credentials

    def __init__(self, policy: Policy, reset_hash: TokenHash) -> None:
        self._policy = policy
        self._hash = reset_hash

    def decide(self, command: RequestReset, states: States, at: datetime, ids: Ids) -> Decision:
        credentials = states.get(command.target, Credentials)
        if credentials is None or credentials.status is Status.CLOSED or self._asked_just_now(credentials, at):
            return None
        token_hash = self._hash(credentials.id, credentials.version + 1)
        return passwords.ask_reset(credentials, token_hash, policy=self._policy, at=at)

    def answer(self, command: RequestReset, states: States) -> Answer:
        return Answer(command.target, 0, ASKED)

    def _asked_just_now(self, credentials: Credentials, at: datetime) -> bool:
        policy, pending = self._policy, credentials.reset
        return pending is not None and at < pending.expires_at - policy.reset_lasts + policy.reset_pause


class ResetByLink(Handler[ResetHash]):
    """Answers with the user."""

    of = Credentials

    def needs(self, command: ResetHash, states: States) -> Iterable[UUID]:
        return command.target, command.user_id

    def decide(self, command: ResetHash, states: States, at: datetime, ids: Ids) -> Decision:
        credentials = states.get(command.target, Credentials)
        if credentials is None or credentials.status is Status.CLOSED:
            raise ResetTokenNotGood
        return passwords.reset_password(credentials, command.token_hash, command.password_hash, at=at)

    def answer(self, command: ResetHash, states: States) -> Answer:
        user = states[command.user_id, User]
        return Answer(user.id, user.version, user.status.name)
