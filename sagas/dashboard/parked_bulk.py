"""What is parked for one cause: one is retried first, then the others as they were seen, and what came of each."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from domain.ids import derive
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation, Status
from projections.parked import Wanted
from sagas.dashboard import operation, park
from sagas.dashboard.asking import Wish, reason_of, refused, requested, uuid_of, whole_number
from sagas.dashboard.operation import Shown
from sagas.dashboard.ticking import ticking
from sagas.dashboard.visit import Refused, Visit

AT_ONCE: Final = 8  # requests to the command API
GOOD_FOR: Final = timedelta(hours=1)
"""So long after one went well the others may follow."""
OTHER_CAUSE: Final = "It has another cause by now"
ATTEMPTS: Final = 4  # bytes
MOST_ATTEMPTS: Final = 2 ** (8 * ATTEMPTS) - 1
NO_FURTHER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Whoever is refused with these would be refused all the others too."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is parked, and how often it had been tried when it was looked at."""

    id: UUID
    attempts: int


@dataclass(frozen=True, slots=True)
class Canary:
    """The retry that went first. `vouched`: this dashboard says that it was of this cause, and who asked for it.

    The operation itself does not say it, and what was parked is gone once it went well.
    """

    operation: UUID
    fingerprint: str
    vouched: str

    @classmethod
    def begun(cls, visit: Visit, operation: UUID, fingerprint: str) -> Canary:
        return cls(operation, fingerprint, visit.desk.sessions.vouched(said(visit, operation, fingerprint)))

    @classmethod
    def of_address(cls, visit: Visit, fingerprint: str) -> Canary | None:
        asked, vouched = visit.asked("operation"), visit.asked("vouched")
        return cls(uuid_of(asked, "retry"), fingerprint, vouched) if asked and vouched else None

    async def went_well(self, visit: Visit) -> bool:
        """For who looks, lately, and for this cause."""
        if not visit.desk.sessions.vouches(said(visit, self.operation, self.fingerprint), self.vouched):
            return False
        found = await operation.told(visit.desk, self.operation)
        if found is None or found.state.kind != OperationKind.PARKED_RETRY or found.state.status is not Status.DONE:
            return False
        age = visit.desk.now() - found.last.recorded_at
        return bool(found.state.by == visit.actor.id and timedelta(0) <= age < GOOD_FOR)


def said(visit: Visit, operation: UUID, fingerprint: str) -> str:
    return f"canary {operation} {visit.actor} {fingerprint}"


async def retry_canary(visit: Visit) -> Response:
    """The cause is that of the row, whatever the form says."""
    reason, seen = reason_of(visit), Seen(uuid_of(visit.posted("id"), "parked sequence"), attempts(visit))
    fingerprint = visit.posted("fingerprint")
    await require_cause(visit, [seen], fingerprint)
    done = await requested(visit, retrying(seen.id), f"/v1/parked/{seen.id}/retry", body(reason, seen))
    canary = Canary.begun(visit, done, fingerprint)
    return visit.go("/parked/cause", fingerprint=fingerprint, operation=str(done), vouched=canary.vouched)


async def retry_others(visit: Visit) -> Response:
    """Of the selection as it was shown, and only behind one that went well. What is gone meanwhile has no effect."""
    reason, fingerprint = reason_of(visit), visit.posted("fingerprint")
    await require_canary(visit, fingerprint)
    key, selected = uuid_of(visit.posted("key"), "form"), unpacked(visit.posted("ids"))
    await require_cause(visit, selected, fingerprint)
    asked: list[UUID] = []
    failed: list[Refused] = []
    for at in range(0, len(selected), AT_ONCE):
        answers = [retry(visit, seen, reason, key) for seen in selected[at : at + AT_ONCE]]
        for answer in await asyncio.gather(*answers):
            if isinstance(answer, Refused):
                failed.append(answer)
            else:
                asked.append(answer)
        if any(each.status in NO_FURTHER for each in failed):
            break
    if failed:
        raise not_all(failed, asked, len(selected), fingerprint)
    return visit.go("/parked/outcomes", of=packed_ids(asked), fingerprint=fingerprint)


async def retry(visit: Visit, seen: Seen, reason: str, key: UUID) -> UUID | Refused:
    """One that is refused keeps none of the others from being asked for."""
    own_key = str(derive(str(key), str(seen.id)))
    try:
        return await requested(visit, retrying(seen.id), f"/v1/parked/{seen.id}/retry", body(reason, seen), key=own_key)
    except Refused as refusal:
        return refusal


def not_all(failed: Sequence[Refused], asked: Sequence[UUID], of: int, fingerprint: str) -> Refused:
    first = failed[0]
    text = f"{len(asked)} of {of} were asked for, {len(failed)} were refused: {first.title}. {first.text}"
    if not asked:
        return Refused(first.status, "None was asked for", text, back="/parked")
    there = f"/parked/outcomes?{urlencode({'of': packed_ids(asked), 'fingerprint': fingerprint})}"
    return Refused(first.status, "Not all were asked for", text, back=there, on="What came of those")


def body(reason: str, seen: Seen) -> dict[str, Any]:
    return {"reason": reason, "attempts": seen.attempts}


def retrying(id: UUID) -> Wish:
    return Wish(OperationKind.PARKED_RETRY, str(id), back=f"/parked/{id}")


async def require_canary(visit: Visit, fingerprint: str) -> None:
    """Raises Refused."""
    canary = Canary(uuid_of(visit.posted("canary"), "retry"), fingerprint, visit.posted("vouched"))
    if not await canary.went_well(visit):
        text = "The others are retried within an hour after you had one of this cause retried and it went well."
        wish = Wish(OperationKind.PARKED_RETRY, fingerprint or "parked", back="/parked")
        raise await refused(visit, wish, HTTPStatus.CONFLICT, "One goes first", f"{text} Nothing was done.")


async def require_cause(visit: Visit, selected: Sequence[Seen], fingerprint: str) -> None:
    """Raises Refused where something is parked for another cause than what the form says."""
    of_cause = {row.id for row in await park.of_cause(visit.desk.reads, Wanted(fingerprint=fingerprint))}
    for seen in selected:
        row = None if seen.id in of_cause else await park.one(visit.desk.reads, seen.id)
        if row is not None and row.fingerprint != fingerprint:
            text = f"{seen.id} is parked for {row.fingerprint}. Nothing was done."
            raise await refused(visit, retrying(seen.id), HTTPStatus.PRECONDITION_FAILED, OTHER_CAUSE, text)


# -- what came of it ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """`asked` is None as long as nothing is known of it."""

    id: UUID
    asked: Shown | None


async def show_outcomes(visit: Visit) -> Response:
    return visit.page("parked_outcomes.html", of=visit.asked("of"), **await outcomes(visit))


async def live_outcomes(visit: Visit) -> Response:
    async def fragment() -> str:
        return visit.html("parked_outcome_rows.html", **await outcomes(visit))

    return ticking(fragment, visit.desk.stopping)


async def outcomes(visit: Visit) -> dict[str, Any]:
    found: list[Outcome] = []
    for id in unpacked_ids(visit.asked("of") or ""):
        state: Operation | None = await operation.found(visit.desk, id)
        found.append(Outcome(id, operation.shown(state) if state else None))
    return {"outcomes": found}


# -- what stands in addresses and forms --------------------------------------------------------------------------------


def packed(selected: Sequence[Seen]) -> str:
    parts = (seen.id.bytes + min(seen.attempts, MOST_ATTEMPTS).to_bytes(ATTEMPTS, "big") for seen in selected)
    return urlsafe_b64encode(b"".join(parts)).decode()


def unpacked(text: str) -> list[Seen]:
    """Raises Refused."""
    return [Seen(UUID(bytes=part[:16]), int.from_bytes(part[16:], "big")) for part in pieces(text, 16 + ATTEMPTS)]


def packed_ids(ids: Sequence[UUID]) -> str:
    return urlsafe_b64encode(b"".join(id.bytes for id in ids)).decode()


def unpacked_ids(text: str) -> list[UUID]:
    """Raises Refused."""
    return [UUID(bytes=part) for part in pieces(text, 16)]


def pieces(text: str, size: int) -> list[bytes]:
    """Raises Refused for what is no list of such pieces, or too long a one."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
    except ValueError:
        raise unreadable() from None
    if len(raw) % size:
        raise unreadable()
    count = len(raw) // size
    if not 0 < count <= park.SHOWN:
        raise Refused(400, "This selection cannot be taken", f"It has {count}: 1 to {park.SHOWN} go at once.")
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def unreadable() -> Refused:
    return Refused(400, "This selection cannot be read", "Go back to the list and select again.")


def attempts(visit: Visit) -> int:
    """How often it had been tried when it was looked at. Raises Refused."""
    found = whole_number(visit.posted("attempts"))
    if found is None:
        raise Refused(400, "This form is not complete", "It should say how often it was tried; go back and look again.")
    return found
