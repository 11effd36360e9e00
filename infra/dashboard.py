"""What the dashboard acts through: the command API, in this process or in another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Final
from uuid import UUID

import httpx
from pydantic_core import from_json
from starlette.types import ASGIApp

from commands.denials import Denials
from commands.operations.messages import DenyAction
from commands.trace import trace
from domain.actor import Actor
from domain.ids import OperationId, derive
from infra.mail.kept import MailDirectory
from infra.operations import NothingToDo, Refused
from infra.parked import Park
from projections.unparking import Tried
from sagas.dashboard.port import Answered, Asked, CannotTry, Mail, Unreachable

TIMEOUT: Final = httpx.Timeout(15.0, connect=2.0)
HERE: Final = "http://commands.chobo"
"""A base address that nobody looks up."""


class InProcess:
    """`api` is the command API of this process."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    async def post(self, asked: Asked) -> Answered:
        transport = httpx.ASGITransport(self._api, client=(asked.client, 0))
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            return await posted(client, asked)


class DryRuns:
    """Tries what is parked, and leaves it as it is."""

    def __init__(self, park: Park) -> None:
        self._park = park

    async def dry_run(self, id: UUID) -> Tried:
        try:
            return await self._park.dry_run(id)
        except (NothingToDo, Refused) as refusal:
            raise CannotTry(str(refusal)) from None


class KeptMails:
    """Of the directory of this installation, if it has one."""

    def __init__(self, directory: MailDirectory | None) -> None:
        self._directory = directory

    async def read(self, id: UUID) -> Mail | None:
        found = await asyncio.to_thread(self._directory.read, id) if self._directory else None
        return None if found is None else mail(found)


def mail(message: EmailMessage) -> Mail:
    """Of ours, which have a text and HTML beside it."""
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None, "a mail of ours has both"
    assert html is not None, "a mail of ours has both"
    sender, to, date, subject = (str(message[name]) for name in ("From", "To", "Date", "Subject"))
    return Mail(sender, to, date, subject, plain.get_content(), html.get_content())


class ByHttp:
    """`client` has the base address of the command API."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def post(self, asked: Asked) -> Answered:
        return await posted(self._client, asked)


class Denied:
    """In the log of operations. The same within an hour is kept once."""

    def __init__(self, denials: Denials, now: Callable[[], datetime]) -> None:
        self._denials = denials
        self._now = now

    async def keep(self, actor: Actor, action: str, target: str, why: str) -> None:
        hour = f"{self._now():%Y-%m-%dT%H}"
        id = OperationId(derive("denial", f"{actor}/{action}/{target}/{why}/{hour}"))
        denial = DenyAction(id=id, action=action, subject=target, why=why)
        await self._denials.keep(denial, actor, trace({}))


async def posted(client: httpx.AsyncClient, asked: Asked) -> Answered:
    try:
        answer = await client.post(asked.path, json=dict(asked.body), headers=headers(asked), timeout=TIMEOUT)
        said: Any = from_json(answer.content) if answer.content else {}
    except (httpx.HTTPError, ValueError) as error:
        raise Unreachable(f"POST {asked.path}: {type(error).__name__}") from error
    return Answered(answer.status_code, said if isinstance(said, dict) else {}, "idempotent-replayed" in answer.headers)


def headers(asked: Asked) -> dict[str, str]:
    found = {"x-forwarded-for": asked.client} if asked.client else {}
    if asked.token:
        found["authorization"] = f"Bearer {asked.token}"
    if asked.key:
        found["idempotency-key"] = asked.key
    if asked.version is not None:
        found["if-match"] = f'"{asked.version}"'
    return found
