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
from sagas.dashboard.asking import uuid_of, whole_number
from sagas.dashboard.event_pages import read
from sagas.dashboard.personal import SCOPE, hidden, is_open, log_of
from sagas.dashboard.port import Log
from sagas.dashboard.visit import Refused, Visit, not_there

AROUND: Final = 12  # versions shown on either side
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
    after, odd = await readable(visit, context, log, id, asked.at)
    before, _ = await readable(visit, context, log, id, asked.since or just_before(after))
    version = version_of(after)
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
        changes=changes(before, after, opened=opened),
        state=plain(after.state, erased=hidden(opened=opened)) if after else {},
        around=await log.stream_raw(id, max(0, version - AROUND - 1), None, 2 * AROUND + 1),
        opened=opened,
        may_open=visit.may(SCOPE),
    )


async def readable(
    visit: Visit, context: str, log: Log, id: UUID, at: Moment | None
) -> tuple[AsOf | None, NotReadable | None]:
    """As it was; where an event before cannot be read, as it was before that one, and which that is."""
    try:
        return await as_of(visit.desk.contexts[context], log, id, at), None
    except NotReadable as error:
        return await as_of(visit.desk.contexts[context], log, id, AtVersion(error.version - 1)), error


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
