"""Refusals: why a command was not carried out, with the facts a client needs to do better."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

REFUSALS: dict[str, type[DomainError]] = {}
"""Every refusal by its code. `docs/errors.md`, the problem pages and the HTTP statuses are made from it."""


class Kind(Enum):
    """What sort of refusal it is. The HTTP status follows from this alone (`commands/problems.py`)."""

    INVALID = "invalid"  # the request can never succeed as it stands
    FORBIDDEN = "forbidden"  # this principal may not
    NOT_FOUND = "not found"  # no such thing, or not for this principal
    CONFLICT = "conflict"  # not in the present state
    STALE = "stale"  # the client decided on an older version
    UNAUTHENTICATED = "unauthenticated"


class DomainError(Exception):
    """A command was refused.

    `code` is stable and UPPER_SNAKE; `facts` are JSON values a client can act on. A refusal that is not `final`
    (who asked, or on which version) is never stored as the reply to an idempotency key.
    """

    code: ClassVar[str] = ""
    title: ClassVar[str] = ""
    kind: ClassVar[Kind] = Kind.CONFLICT
    retryable: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.code or not cls.title:
            raise TypeError(f"{cls.__name__} needs a code and a title")
        if REFUSALS.setdefault(cls.code, cls) is not cls:
            raise TypeError(f"{cls.__name__}: the code {cls.code} is taken by {REFUSALS[cls.code].__name__}")

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts

    @property
    def final(self) -> bool:
        return self.kind not in (Kind.FORBIDDEN, Kind.UNAUTHENTICATED, Kind.STALE)

    def __reduce__(self) -> tuple[Any, ...]:
        return remake, (type(self), self.detail, self.facts)


def remake(cls: type[DomainError], detail: str, facts: dict[str, Any]) -> DomainError:
    error = cls.__new__(cls)
    DomainError.__init__(error, detail, **facts)
    return error


class NotFound(DomainError):
    code = "NOT_FOUND"
    title = "There is no such thing"
    kind = Kind.NOT_FOUND

    def __init__(self, what: str, id: UUID | str) -> None:
        super().__init__(f"there is no {what} {id}", what=what, id=str(id))


class AlreadyExists(DomainError):
    code = "ALREADY_EXISTS"
    title = "Something with this id exists already"

    def __init__(self, what: str, id: UUID | str) -> None:
        super().__init__(f"a {what} {id} exists already", what=what, id=str(id))


class NotAllowedNow(DomainError):
    """A lifecycle refuses a transition."""

    code = "NOT_ALLOWED_NOW"
    title = "The present status does not allow this"

    def __init__(self, what: str, id: UUID, status: Enum, *allowed: Enum) -> None:
        names = [s.name for s in allowed]
        super().__init__(
            f"{what} {id} is {status.name}; this needs {' or '.join(names)}",
            what=what,
            id=str(id),
            status=status.name,
            allowed=names,
        )


class Forbidden(DomainError):
    code = "FORBIDDEN"
    title = "You may not do this"
    kind = Kind.FORBIDDEN


class StaleVersion(DomainError):
    code = "STALE_VERSION"
    title = "The resource has changed since you read it"
    kind = Kind.STALE

    def __init__(self, id: UUID, expected: int, current: int) -> None:
        super().__init__(
            f"{id} is at version {current}, not {expected}: read it again and decide anew",
            id=str(id),
            expected=expected,
            current=current,
        )


class InvalidValue(DomainError):
    code = "INVALID_VALUE"
    title = "A value is not allowed"
    kind = Kind.INVALID
