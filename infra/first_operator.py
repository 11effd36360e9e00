"""The first person in charge: somebody must be able to grant roles before anybody has one."""

from __future__ import annotations

from typing import Final

from commands.loop import WriteLoop
from commands.message import Command
from commands.reply import Envelope, Key
from commands.services import Services
from commands.users.accounts import new_account
from commands.users.messages import GrantRole, RegisterUser
from domain.actor import Role, service
from domain.ids import UserId, derive

ROLES: Final = (Role.ADMIN, Role.OPERATOR)


async def ensure_first_operator(users: WriteLoop, services: Services, email: str, password: str) -> None:
    """Registers the first operator, once for ever: each step has an idempotency key that is never pruned.

    So a role that another admin takes away later is not given back at the next start.
    """
    id = UserId(derive("first-operator", email))
    message = RegisterUser.model_validate({"id": id, "email": email, "password": password, "name": "First operator"})
    await _once(users, await new_account(message, services), id, "account")
    for role in ROLES:
        await _once(users, GrantRole(role=role), id, role.value)


async def _once(users: WriteLoop, command: Command, id: UserId, step: str) -> None:
    key = Key(derive("first-operator-step", f"{id}/{step}"), digest=b"first operator", keep_until=None)
    command.bind(by=service("setup"), target=id)
    (await users.submit(Envelope(command, "first-operator", key=key))).result()
