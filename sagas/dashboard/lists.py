"""Lists by address: their pages, and what is newer than the first row that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Generic
from uuid import UUID

from psycopg import sql
from starlette.responses import Response

from projections.generations import READS
from projections.listing import Condition, Listing, Mark, Ordering, Page, Statement
from projections.table import R
from projections.users.queries import USERS
from projections.users.row import UserRow
from sagas.dashboard.live import stream
from sagas.dashboard.odd import Odd
from sagas.dashboard.rows import Listed, listed, mark, mark_of, page, place, read
from sagas.dashboard.visit import Refused, Visit

SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class ListPage(Generic[R]):
    """`earlier` and `later` are the places at its ends, None where there is nothing more; `first` is the newest row."""

    rows: Sequence[R | Odd]
    earlier: str | None
    later: str | None
    first: str | None


@dataclass(frozen=True, slots=True)
class Timed(Generic[R]):
    """A listing, the newest first, by a column of times; `model` is the read model whose moves bring new rows."""

    listing: Listing[R]
    column: str
    model: str
    size: int = field(default=SIZE)

    @property
    def ordering(self) -> Ordering:
        return Ordering(self.column, descending=True)

    async def page(self, visit: Visit, where: Sequence[Condition]) -> ListPage[R]:
        after, before = visit.asked("after"), visit.asked("before")
        found = await listed(visit.desk.reads, self.listing, where, self.ordering, page(self.size, after, before))
        marks = [mark for row in found.rows if (mark := mark_of(row, self.column))]
        places = [place(mark.value, mark.id) for mark in marks]
        return ListPage(
            found.rows,
            earlier=places[0] if places and there_is_earlier(found, after, before) else None,
            later=places[-1] if places and (found.more or before is not None) else None,
            first=places[0] if places and after is None and before is None else None,
        )

    async def newer(self, visit: Visit, where: Sequence[Condition]) -> Response:
        """Says how many rows have come on top; they are shown on request, so that nothing moves under the pointer."""
        first = visit.asked("first")

        async def made() -> str:
            found = await listed(visit.desk.reads, self.listing, where, self.ordering, self._before(mark(first)))
            return visit.html("newer.html", count=len(found.rows), more=found.more)

        async def fragment() -> str:
            return await visit.desk.once(self.model, (visit.request.url.path, visit.request.url.query), made)

        seen = visit.request.headers.get("last-event-id") or ""
        return stream(visit.desk.news, self.model, fragment, seen=seen, stopping=visit.desk.stopping)

    def _before(self, first: Mark | None) -> Page:
        return Page(self.size, backward=first is not None, before=first)


def there_is_earlier(found: Listed[R], after: str | None, before: str | None) -> bool:
    return found.more if before is not None else after is not None


# -- people ------------------------------------------------------------------------------------------------------------

BY_IDS: Final = sql.SQL("SELECT {} FROM {} t WHERE id = ANY(%s)").format(
    USERS.table.selected(), sql.Identifier(READS, USERS.table.name)
)


async def users(visit: Visit, ids: Iterable[UUID | None]) -> dict[UUID, UserRow]:
    """Those that are known and can be read."""
    wanted = list({id for id in ids if id is not None})
    found = await read(visit.desk.reads, USERS, Statement(BY_IDS, [wanted])) if wanted else []
    return {row.id: row for row in found if not isinstance(row, Odd)}


# -- conditions from an address ----------------------------------------------------------------------------------------


def one_of(visit: Visit, name: str, allowed: Sequence[str], column: str | None = None) -> list[Condition]:
    """Raises Refused for what is none of them."""
    asked = visit.asked(name)
    if asked is None:
        return []
    if asked not in allowed:
        raise Refused(400, f"There is no such {name}", f"{asked[:80]!r} is none: there are {', '.join(allowed)}.")
    return [Condition(column or name, "eq", asked)]


def equal(visit: Visit, name: str, column: str, read: Callable[[str], Any] = str) -> list[Condition]:
    asked = visit.asked(name)
    return [] if asked is None else [Condition(column, "eq", read(asked))]


def between(visit: Visit, column: str) -> list[Condition]:
    """`since` and `until`. Raises Refused for what is no time."""
    found = (("gte", moment(visit.asked("since"))), ("lte", moment(visit.asked("until"))))
    return [Condition(column, operator, at) for operator, at in found if at is not None]


def moment(text: str | None) -> datetime | None:
    """UTC where it says nothing else. Raises Refused."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, "As of when?", f"{text[:80]!r} is no time: say 2026-01-31T12:00:00Z.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
