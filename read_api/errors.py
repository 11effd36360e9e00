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


class VariablesTooLarge(DomainError):
    """The variables hold more than any page needs."""

    code = "VARIABLES_TOO_LARGE"
    title = "The variables are too large"
    kind = Kind.INVALID

    def __init__(self, what: str, maximum: int) -> None:
        super().__init__(f"the variables have {what}: ask for less at once", maximum=maximum)


class QueryTooCostly(DomainError):
    """The document may bring too many objects: lists count as often as they are long. Ask for smaller pages."""

    code = "QUERY_TOO_COSTLY"
    title = "The query may bring too much"
    kind = Kind.INVALID

    def __init__(self, cost: int, maximum: int) -> None:
        super().__init__(
            f"the query costs {cost}; at most {maximum} are allowed: ask for smaller pages", cost=cost, maximum=maximum
        )


class AnswerTooLarge(DomainError):
    """There is far more of it than its cost says: lists without pages are longer than usual. Ask for less at once."""

    code = "ANSWER_TOO_LARGE"
    title = "The answer would be too large"
    kind = Kind.INVALID

    def __init__(self, maximum: int) -> None:
        super().__init__(
            f"the answer would have more than {maximum} values: ask for smaller pages, or for fewer lists at once",
            maximum=maximum,
        )


class IntrospectionOff(DomainError):
    """The schema cannot be asked for here; it is published as a file."""

    code = "INTROSPECTION_OFF"
    title = "The schema cannot be asked for here"
    kind = Kind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("introspection is off here: take the schema from the file schema.graphql")


class CrossSiteQuery(DomainError):
    """A page of another site must not make a browser ask for much. Send one of the headers named, or POST JSON."""

    code = "CROSS_SITE_QUERY"
    title = "A query by GET needs a header"
    kind = Kind.FORBIDDEN

    def __init__(self, headers: list[str], free: int) -> None:
        super().__init__(
            f"a query by GET that costs more than {free} needs one of the headers {', '.join(headers)}, or POST JSON",
            headers=headers,
        )


class PersistedQueryNotFound(DomainError):
    """The document with this hash is not known (any more). Send it again together with its hash."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    title = "The persisted document is not known"
    kind = Kind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")  # clients of Apollo's protocol look for this very word


class InvalidPersistedQuery(DomainError):
    """`extensions.persistedQuery` is not as the protocol has it, or the hash is not that of the document."""

    code = "INVALID_PERSISTED_QUERY"
    title = "The persisted document cannot be used"
    kind = Kind.INVALID


class DocumentNotAllowed(DomainError):
    """Only documents that were made known to this installation are executed here."""

    code = "DOCUMENT_NOT_ALLOWED"
    title = "This document is not executed here"
    kind = Kind.FORBIDDEN

    def __init__(self, hash: str) -> None:
        super().__init__(
            f"only the documents of the list that `chobo documents` made are executed here; {hash} is not in it",
            hash=hash,
        )


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
