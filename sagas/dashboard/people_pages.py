"""People: who has which role, since when and by whose decision; admins grant and revoke. Customers are masked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from domain.actor import Role
from domain.users.user import GRANTABLE, Status
from domain.users.values import normalised
from projections.listing import Condition, Page
from projections.operations.queries import LATEST_FIRST, OPERATIONS
from projections.users.queries import USERS, sign_ins_of
from projections.users.row import UserRow
from sagas.dashboard.asking import Wish, confirmed, done, reason_of, uuid_of, version_of
from sagas.dashboard.lists import Timed, one_of, users
from sagas.dashboard.notification_pages import masked
from sagas.dashboard.odd import Odd
from sagas.dashboard.people import ROLES, TONES, TYPED, Account, CannotBeTold, account, held, role_lines
from sagas.dashboard.personal import SCOPE, is_open, reason_shown
from sagas.dashboard.rows import by_id, listed
from sagas.dashboard.visit import Refused, Visit, not_there

LIST: Final = Timed(USERS, "created_at", "users")
WORKS_HERE: Final = sorted(str(role) for role in GRANTABLE)
EVERYBODY: Final = "everybody"
ROLE_FILTER: Final = (*WORKS_HERE, EVERYBODY)
LATEST: Final = 30


def conditions(visit: Visit) -> list[Condition]:
    """Who works here, where the address says nothing else. Raises Refused for what cannot be asked for."""
    role = visit.asked("role")
    if role is not None and role not in ROLE_FILTER:
        raise Refused(400, "There is no such role", f"{role[:80]!r} is none: there are {', '.join(ROLE_FILTER)}.")
    found = one_of(visit, "status", [status.value for status in Status])
    if role is None:
        return [*found, Condition("roles", "any", WORKS_HERE)]
    return found if role == EVERYBODY else [*found, Condition("roles", "has", role)]


async def show(visit: Visit) -> Response:
    sought = visit.asked("q")
    if sought is not None:
        return visit.go(f"/people/{uuid_of(sought, 'account')}")
    where = conditions(visit)
    found = await LIST.page(visit, where)
    rows = [row for row in found.rows if not isinstance(row, Odd)]
    roles = {row.id: held(row) for row in rows}
    return visit.page(
        "people.html",
        page=found,
        names={row.id: name(row) for row in rows},
        held=roles,
        people=await colleagues(visit, [each.by for each in chain(*roles.values())]),
        tones=TONES,
        statuses=[status.value for status in Status],
        roles=ROLE_FILTER,
    )


async def find(visit: Visit) -> Response:
    """By a form, so that nobody's address gets into an address, and from there into logs."""
    try:
        return visit.go(f"/people/{await id_of(visit, visit.posted('q'))}")
    except Refused as none:  # not kept for the audit log: nobody was refused anything
        return visit.said(none.status, none.title, none.text, back="/people", on="Back")


async def newer(visit: Visit) -> Response:
    return await LIST.newer(visit, conditions(visit))


async def id_of(visit: Visit, sought: str) -> UUID:
    """Of the account with this id or address, however the address is spelt. Raises Refused where there is none."""
    if "@" not in sought:
        return uuid_of(sought, "account")
    try:
        key = normalised(sought)
    except ValueError as error:
        raise Refused(400, "That is no address", f"{str(error).capitalize()}.", back="/people") from None
    where = [Condition("email_key", "eq", key)]
    found = await listed(visit.desk.reads, USERS, where, LIST.ordering, Page(1))
    if not found.rows:
        text = "An address finds an account when it is the whole of it; one that was erased cannot be found by it."
        raise Refused(HTTPStatus.NOT_FOUND, "No account has this address", text, back="/people")
    return UUID(str(found.rows[0].id))


def name(row: UserRow, *, opened: bool = False) -> str:
    """The address of who works in the shop; of a customer no more than a mask, unless it was opened."""
    if row.email is None:
        return "(erased)"
    return row.email if opened or not GRANTABLE.isdisjoint(row.roles) else masked(row.email)


# -- one ---------------------------------------------------------------------------------------------------------------


async def show_one(visit: Visit) -> Response:
    id = uuid_of(visit.request.path_params["id"], "account")
    found, row = await told(visit, id), await by_id(visit.desk.reads, USERS, id)
    if isinstance(row, Odd):
        return visit.page("odd.html", what="account", list="/people", odd=row, context="users")
    (sign_ins,) = await sign_ins_of(visit.desk.reads, [id])
    opened = await is_open(visit, id)
    audited = await operations(visit, id)
    by = [d.by for d in found.decisions] + [each.by for each in audited if not isinstance(each, Odd)]
    return visit.page(
        "person.html",
        id=id,
        user=found.user,
        row=row,
        name=name(row, opened=opened) if row else f"Account {str(id)[-8:]}",
        sign_ins=sign_ins,
        decisions=found.decisions[::-1][:LATEST],
        lines=role_lines(found, visit.actor, visit.desk.now(), may=visit.may(ROLES)),
        audited=audited,
        reason_shown=partial(reason_shown, visit),
        people=await colleagues(visit, by),
        opened=opened,
        may_open=visit.may(SCOPE),
        tones=TONES,
        decided=visit.asked("decided"),
    )


async def told(visit: Visit, id: UUID) -> Account:
    """Raises Refused."""
    try:
        found = await account(visit.desk, id, opened=visit.may(SCOPE))
    except CannotBeTold as error:
        text = f"{error}. Nothing can be decided about it with this release."
        raise Refused(HTTPStatus.CONFLICT, "This account cannot be told", text, back="/people") from None
    if found is None:
        raise not_there("account", id)
    return found


async def operations(visit: Visit, id: UUID) -> Sequence[Any]:
    """What the audit log has about this account: who was refused to change it, who had it opened."""
    where = [Condition("target", "eq", str(id))]
    return (await listed(visit.desk.reads, OPERATIONS, where, LATEST_FIRST, Page(LATEST))).rows


async def colleagues(visit: Visit, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    """By id, the addresses of those who work here."""
    found = await users(visit, ids)
    return {id: row.email for id, row in found.items() if row.email and not GRANTABLE.isdisjoint(row.roles)}


# -- what is done ------------------------------------------------------------------------------------------------------


async def grant(visit: Visit) -> Response:
    return await decide(visit, "grant-role")


async def revoke(visit: Visit) -> Response:
    return await decide(visit, "revoke-role")


async def decide(visit: Visit, verb: str) -> Response:
    """Through the command API, which decides by the account's own log and keeps it there, with the reason."""
    id = uuid_of(visit.request.path_params["id"], "account")
    wish = Wish(f"user.{verb}", str(id), back=f"/people/{id}")
    role, reason, version = role_of(visit), reason_of(visit), version_of(visit)
    if role in TYPED:
        await confirmed(visit, wish, role)
    decided = await done(visit, wish, f"/v1/users/{id}/{verb}", {"role": role, "reason": reason}, version=version)
    return visit.go(wish.back, decided=str(decided["version"]))


def role_of(visit: Visit) -> Role:
    """Raises Refused for what cannot be granted."""
    asked = visit.posted("role")
    if asked not in WORKS_HERE:
        said = f"{asked[:80]!r} is none: there are {', '.join(WORKS_HERE)}. Nothing was done."
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "There is no such role", said)
    return Role(asked)
