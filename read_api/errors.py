"""What the read API refuses of its own accord. The codes are in the one list of codes, with all other refusals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.errors import DomainError, Kind


class InvalidDocument(DomainError):
    """The document is not valid GraphQL, or asks for what the schema does not have."""

    code = "INVALID_DOCUMENT"
    title = "The GraphQL document is not valid"
    kind = Kind.INVALID


class DocumentTooComplex(DomainError):
    """The document is deeper, wider or longer than any page needs. Ask for less at once."""

    code = "DOCUMENT_TOO_COMPLEX"
    title = "The GraphQL document asks for too much at once"
    kind = Kind.INVALID


class InvalidCursor(DomainError):
    """A cursor belongs to the list and ordering it came from. Begin without one."""

    code = "INVALID_CURSOR"
    title = "The cursor is not one of this list"
    kind = Kind.INVALID

    def __init__(self, argument: str) -> None:
        super().__init__(f"{argument} is not a cursor of this list in this ordering", argument=argument)


class InvalidPage(DomainError):
    """A list needs to know how much of it is wanted."""

    code = "INVALID_PAGE"
    title = "The size of the page is not allowed"
    kind = Kind.INVALID

    def __init__(self, given: str, maximum: int) -> None:
        super().__init__(f"give first or last, 1 to {maximum}, and not both; given {given}", maximum=maximum)


class InvalidFilter(DomainError):
    """A condition of `where` cannot be used."""

    code = "INVALID_FILTER"
    title = "A condition is not allowed"
    kind = Kind.INVALID

    def __init__(self, path: str, why: str, **facts: Any) -> None:
        super().__init__(f"where.{path} {why}", path=path, **facts)


class QueryTimedOut(DomainError):
    """The query took too long and was given up. Ask for less at once."""

    code = "QUERY_TIMED_OUT"
    title = "The query took too long"
    kind = Kind.INVALID

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the query was given up after {seconds:g} s: ask for less at once", seconds=seconds)


class HistoryNotReadable(DomainError):
    """What it once was cannot be shown: it has too many events, or one that this release cannot read."""

    code = "HISTORY_NOT_READABLE"
    title = "Its history cannot be shown"

    def __init__(self, id: UUID, why: str) -> None:
        super().__init__(f"the history of {id} cannot be shown: {why}", id=str(id))


class LogNotAtHand(DomainError):
    """This installation shows only how things are: the process has not been told where the logs are."""

    code = "LOG_NOT_AT_HAND"
    title = "What was cannot be shown here"

    def __init__(self, context: str) -> None:
        super().__init__(f"what was cannot be shown here: this process does not know the log of {context}")


class TooManyStreams(DomainError):
    """Somebody has as many streams open as they may have. End one of them first; one page needs one connection."""

    code = "TOO_MANY_STREAMS"
    title = "Too many streams are open"
    retryable = True

    def __init__(self, maximum: int) -> None:
        super().__init__(f"you have {maximum} streams open, more are not allowed: end one first", maximum=maximum)
