"""A row of the command API: which POST means which command, who may send it, and how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from commands.handler import Answer
from commands.message import Command
from commands.services import Services
from domain.actor import Actor
from domain.errors import NotFound


class KeyUse(Enum):
    """What a route does with the header `Idempotency-Key`."""

    REQUIRED = "required"  # money or stock moves: never without
    HONOURED = "honoured"  # used when it is there
    IGNORED = "ignored"  # the answer carries secrets, which are never stored, or nothing is written


class AnswerKind(Enum):
    """How success is answered, by its HTTP status."""

    CREATED = 201  # with Location
    ACCEPTED = 202  # a saga or a worker goes on
    DONE = 200


REQUIRED: Final = KeyUse.REQUIRED
HONOURED: Final = KeyUse.HONOURED
IGNORED: Final = KeyUse.IGNORED
CREATED: Final = AnswerKind.CREATED
ACCEPTED: Final = AnswerKind.ACCEPTED
DONE: Final = AnswerKind.DONE

Prepare = Callable[[Any, Services], Awaitable[Command]]
"""Does the slow things before the loop (hash a password, fetch prices). Gets the bound message, returns the command
that HANDLERS knows. The router binds who asks and, unless the command is bound already, the path's aggregate.
It runs again when a request is repeated with its idempotency key: what depends on the moment belongs into `decide`."""

Respond = Callable[[Any, Answer, Services], Awaitable[Mapping[str, Any]]]
"""Gets the prepared command and its answer; returns fields to be added to the body, or raises a DomainError."""

Serve = Callable[[Any, Services], Awaitable[BaseModel]]
"""Answers without writing anything: a question that comes as a POST."""

Denied = Callable[["Route", Actor, UUID | None, datetime], Command]
"""The command that records that somebody may not do this: who asked, the id in the path, the time."""


@dataclass(frozen=True)
class Route:
    """`POST path` with a body of `message`. `{id}` in the path is the aggregate the command is for.

    `scope` is a row of `commands/access.py`. With `edits`, If-Match is required. `extra` is the model of the fields
    that `respond` adds, `answers` the model of what `serve` gives: the OpenAPI document shows them. What the command
    makes is looked at in the collection `makes`, if that is not the path's. `denied` keeps for the audit log that
    somebody with a good token asked for this who may not. With `waits`, the answer may be waited for by `Prefer: wait`
    until what goes on by itself has come to an end; the command's answer names the aggregate that shows it.
    A `discreet` answer has nothing but the status: neither what was written nor whether anything was.
    """

    path: str
    message: type[Command]
    scope: str
    key: KeyUse = HONOURED
    answer: AnswerKind = DONE
    edits: bool = False
    prepare: Prepare | None = None
    respond: Respond | None = None
    serve: Serve | None = None
    extra: type[BaseModel] | None = None
    answers: type[BaseModel] | None = None
    makes: str = ""
    denied: Denied | None = None
    waits: bool = False
    discreet: bool = False

    @property
    def collection(self) -> str:
        """`orders` of `/v1/orders/{id}/cancel`."""
        return self.path.split("/")[2]

    @property
    def verb(self) -> str:
        """`cancel` of `/v1/orders/{id}/cancel`, "" where the path names none."""
        return "/".join(part for part in self.path.split("/")[3:] if part != "{id}")

    @property
    def context(self) -> str:
        """The context whose loop takes the command: the package its message stands in."""
        return self.message.__module__.split(".")[1]


def same(id: UUID) -> UUID:
    return id


def shown(state: Any, id: UUID) -> Answer:
    return Answer(state.id, state.version, str(getattr(state.status, "name", state.status)))


@dataclass(frozen=True)
class Resource:
    """`GET /v1/<collection>/{id}`: `{id, version, status}` with its ETag, from the write side.

    `owner(state)` is the user it belongs to; others are told that there is no such thing. Without it the scope decides
    alone. `stream(id)` is the aggregate that holds it and `show(state, id)` what is answered, raising NotFound, where
    the thing is a part of an aggregate (a category of the tree).
    """

    collection: str
    of: type[Any]
    context: str
    scope: str
    owner: Callable[[Any], UUID] | None = None
    stream: Callable[[UUID], UUID] = same
    show: Callable[[Any, UUID], Answer] = shown

    @property
    def path(self) -> str:
        return f"/v1/{self.collection}/{{id}}"

    @property
    def noun(self) -> str:
        return self.of.__name__.lower()

    def missing(self, id: UUID) -> NotFound:
        return NotFound(self.noun, id)
