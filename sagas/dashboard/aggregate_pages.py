"""An aggregate through time: as it was at any of its versions, and what had changed from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from projections.history import (
    AsOf,
    AtVersion,
    Change,
    Moment,
    NoSuchMoment,
    NotReadable,
    as_of,
    difference,
    moment,
    plain,
)  # fmt: skip
from sagas.dashboard.asking import first_of_page, uuid_of, whole_number
from sagas.dashboard.event_pages import read
from sagas.dashboard.personal import SCOPE, hidden, is_open, log_of
from sagas.dashboard.views import as_json
from sagas.dashboard.visit import SAFE, Refused, Visit, not_there

AROUND: Final = 12  # versions shown on either side
CHANGES: Final = 100  # on one page
LINES: Final = 600
"""Of the whole state, on the page; the file has all."""
LONGEST_MOMENT: Final = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """None is the last version, or for `since` the one before."""

    at: Moment | None
    since: Moment | None


async def show(visit: Visit) -> Response:
    context, id = visit.request.path_params["context"], uuid_of(visit.request.path_params["id"], "stream")
    if context not in visit.desk.contexts:
        raise not_there("log", context)
    opened = await is_open(visit, id)
    log = log_of(visit, context, opened=opened)
    last = await log.last_version(id)
    if not last:
        raise not_there(f"aggregate of {context}", id)
    asked = Asked(instant(visit.asked("at")), instant(visit.asked("since")))
    after, odd = await readable(visit, context, id, asked.at, opened=opened)
    before, _ = await readable(visit, context, id, asked.since or just_before(after), opened=opened)
    version = version_of(after)
    state = plain(after.state, erased=hidden(opened=opened)) if after else {}
    if visit.asked("file"):
        return as_file(f"{context}-{id}-{version}", state)
    lines, found = as_json(state).splitlines(keepends=True), changes(before, after, opened=opened)
    first = first_of_page(visit.asked("changes"), CHANGES)
    return visit.page(
        "aggregate.html",
        context=context,
        id=id,
        last=last,
        version=version,
        since=version_of(before),
        kind=kind_of(after or before, context),
        after=after,
        odd=odd,
        said=read(after.last, opened=opened) if after else None,
        changes=found[first - 1 : first - 1 + CHANGES],
        first=first,
        size=CHANGES,
        count=len(found),
        state="".join(lines[:LINES]),
        lines=len(lines),
        whole=len(lines) <= LINES,
        around=await log.stream_raw(id, max(0, version - AROUND - 1), None, 2 * AROUND + 1),
        opened=opened,
        may_open=visit.may(SCOPE),
    )


async def readable(
    visit: Visit, context: str, id: UUID, at: Moment | None, *, opened: bool
) -> tuple[AsOf | None, NotReadable | None]:
    """As it was; where an event before cannot be read, as it was before that one, and which that is."""
    try:
        return await seen(visit, context, id, at, opened=opened), None
    except NotReadable as error:
        return await seen(visit, context, id, AtVersion(error.version - 1), opened=opened), error


async def seen(visit: Visit, context: str, id: UUID, at: Moment | None, *, opened: bool) -> AsOf | None:
    """What was opened is not remembered. Raises NotReadable."""
    if opened:
        return await as_of(visit.desk.contexts[context], visit.desk.opened[context], id, at)
    return await visit.desk.past.as_of(context, id, at)


def as_file(name: str, state: Any) -> Response:
    headers = SAFE | {"content-disposition": f'attachment; filename="{name}.json"'}
    return Response(as_json(state), media_type="application/json", headers=headers)


def instant(text: str | None) -> Moment | None:
    """A plain number is a version. Raises Refused."""
    if text is None:
        return None
    try:
        return AtVersion(version) if (version := whole_number(text)) is not None else moment(text[:LONGEST_MOMENT])
    except NoSuchMoment as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "As of when?", f"{error}.") from None


def just_before(found: AsOf | None) -> Moment:
    return AtVersion(max(0, version_of(found) - 1))


def kind_of(found: AsOf | None, context: str) -> str:
    return context if found is None else type(found.state).__name__


def version_of(found: AsOf | None) -> int:
    """0 where there was nothing yet."""
    return found.last.event.originator_version if found else 0


def changes(before: AsOf | None, after: AsOf | None, *, opened: bool) -> list[Change]:
    """Without the version itself, which changes always."""
    sides: list[Any] = [plain(s.state, erased=hidden(opened=opened)) if s else {} for s in (before, after)]
    return [change for change in difference(*sides) if change.place != "version"]
