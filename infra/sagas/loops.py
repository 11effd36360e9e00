"""Commands of sagas through the write loops of this process: the rows of the command API, without HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from pydantic_core import to_json

from commands.body import parsed
from commands.http import context_of
from commands.idempotency import SAGAS, key_id, said
from commands.log import Unavailable
from commands.message import Command
from commands.problems import Problem
from commands.reply import Envelope, Key, OutcomeUnknown, Overloaded
from commands.route import Route
from commands.services import Loop, Services
from commands.table import Table
from domain.actor import ANONYMOUS
from domain.errors import DomainError, Kind, NotFound
from sagas.port import Accepted, Refused, Request, Undelivered

NOT_OURS: Final = (Kind.FORBIDDEN, Kind.UNAUTHENTICATED)
"""Refusals that say that this installation is set up wrongly, and nothing of the command."""


class LoopCommands:
    """`loops` by context."""

    def __init__(self, table: Table, loops: Mapping[str, Loop], services: Services) -> None:
        self._table = table
        self._loops = loops
        self._services = services

    async def send(self, request: Request) -> Accepted | Refused:
        try:
            envelope = await self._envelope(request)
            answer = (await self._loops[context_of(type(envelope.command))].submit(envelope)).result()
        except (Unavailable, Overloaded, OutcomeUnknown) as error:
            raise Undelivered(f"POST {request.path}: {error or type(error).__name__}") from error
        except Problem as problem:
            return Refused(problem.sort.code, problem.detail)
        except DomainError as refusal:
            return refused(request, refusal)
        return Accepted(answer.version, answer.status)

    async def _envelope(self, request: Request) -> Envelope:
        """Raises Problem, DomainError."""
        row, id = self._row(request)
        message = parsed(row.message, to_json(request.body)).bind(by=SAGAS, target=id)
        command = await self._prepared(row, message, id)
        digest = self._services.claims.digest(said(message, id))
        key = Key(key_id(SAGAS, row, str(request.key).encode()), digest, keep_until=None)
        return Envelope(
            command, request.correlation_id, causation_id=request.causation_id, traceparent=request.traceparent, key=key
        )

    def _row(self, request: Request) -> tuple[Route, UUID | None]:
        """Raises Undelivered for a row that this release does not have: another one will know it."""
        try:
            row, id = self._table.find("POST", request.path)
        except (NotFound, Problem) as error:
            raise Undelivered(f"POST {request.path}: this release has no such row") from error
        assert isinstance(row, Route)
        return row, id

    async def _prepared(self, route: Route, message: Command, id: UUID | None) -> Command:
        if route.prepare is None:
            return message
        command = await route.prepare(message, self._services)
        by = message.by if command.by is ANONYMOUS else command.by
        return command.bind(by=by, target=None if command.aimed else id)


def refused(request: Request, refusal: DomainError) -> Refused:
    """Raises Undelivered where it is not the command that is wrong."""
    if refusal.kind in NOT_OURS:
        raise Undelivered(f"POST {request.path}: {refusal.code}: {refusal.detail}")
    return Refused(refusal.code, refusal.detail, refusal.facts)
