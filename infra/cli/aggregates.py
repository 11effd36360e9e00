"""What `chobo show` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

import typer

from domain import notifications, operations, orders, payments, products, sagas, users
from domain.aggregate import Context
from domain.claim import Claim
from domain.errors import NotFound
from domain.event import Event
from domain.notifications.notification import Notification
from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from domain.operations.operation import Operation
from domain.orders.order import Order
from domain.payments.payment import Payment
from domain.products.categories import TREE, Categories
from domain.products.product import Product
from domain.products.reservation import Reservation
from domain.products.restock import Restock
from domain.products.stock import Stock
from domain.sagas.saga import Saga
from domain.users.credentials import Credentials
from domain.users.user import User
from infra.cli.databases import opened
from infra.cli.operating import operating
from infra.cli.show import show, show_line
from infra.cli.show_aggregate import Kind
from infra.event_log.log import KeyStore
from infra.event_log.reader import LogReader
from infra.keys import NoKeys, PersonalKeys
from infra.settings import Settings
from projections.history import AsOf, Moment, NoSuchMoment, as_of, difference, moment, plain

KINDS: Final[dict[Kind, tuple[tuple[Context, ...], type[Any]]]] = {
    Kind.USER: ((users.CONTEXT,), User),
    Kind.CREDENTIALS: ((users.CONTEXT,), Credentials),
    Kind.PRODUCT: ((products.CONTEXT,), Product),
    Kind.STOCK: ((products.CONTEXT,), Stock),
    Kind.RESERVATION: ((products.CONTEXT,), Reservation),
    Kind.RESTOCK: ((products.CONTEXT,), Restock),
    Kind.CATEGORIES: ((products.CONTEXT,), Categories),
    Kind.CLAIM: ((users.CONTEXT, products.CONTEXT), Claim),
    Kind.ORDER: ((orders.CONTEXT,), Order),
    Kind.PAYMENT: ((payments.CONTEXT,), Payment),
    Kind.SAGA: ((sagas.CONTEXT,), Saga),
    Kind.NOTIFICATION: ((notifications.CONTEXT,), Notification),
    Kind.OPERATION: ((operations.CONTEXT,), Operation),
}
"""The contexts in which to look for it, and its state."""

HIDDEN: Final = "(personal: --personal shows it)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`why` somebody's personal fields are read, None if they are not; `diff`: up to when changes are asked for."""

    kind: Kind
    id: UUID
    at: Moment | None
    diff: Moment | None
    why: str | None

    @property
    def erased(self) -> str:
        return HIDDEN if self.why is None else "(erased)"


def wanted(kind: Kind, id: UUID | None, *, at: str | None, diff: str | None, why: str | None) -> Wanted:
    try:
        return Wanted(kind, id or TREE, moment(at) if at else None, moment(diff) if diff else None, why)
    except NoSuchMoment as error:
        raise typer.BadParameter(str(error)) from None


async def show_one(settings: Settings, wanted: Wanted, *, as_json: bool) -> int:
    """Raises NotFound for what there was not at that moment."""
    async with looking(settings, wanted) as look:
        found = await look(wanted.at)
        if wanted.diff is not None:
            return told_difference(wanted, found, await look(wanted.diff), as_json=as_json)
    if found is None:
        raise NotFound(wanted.kind, f"{wanted.id}{f' at {wanted.at}' if wanted.at else ''}")
    told = told_state(wanted, found)
    if as_json:
        show_line(told)
        return 0
    last = found.last
    print(f"{wanted.kind} {wanted.id} at version {told['version']}, position {last.position}")
    print(f"last event {told['lastEvent']} by {last.actor or 'nobody known'}, recorded {last.recorded_at.isoformat()}")
    said = [(f"event.{name}", value) for name, value in told["event"].items()]
    rows = [*told["state"].items(), *said]
    show([{"field": name, "value": short(value)} for name, value in rows], as_json=False)
    return 0


def told_state(wanted: Wanted, found: AsOf) -> dict[str, Any]:
    return {
        "kind": str(wanted.kind),
        "id": str(wanted.id),
        "version": found.last.event.originator_version,
        "position": found.last.position,
        "recordedAt": found.last.recorded_at,
        "lastEvent": found.last.event.TOPIC,
        "actor": found.last.actor,
        "event": event_of(found, wanted.erased),
        "state": plain(found.state, erased=wanted.erased),
    }


def event_of(found: AsOf, erased: str) -> dict[str, Any]:
    """What the last event says, without where it stands."""
    said: dict[str, Any] = plain(found.last.event, erased=erased)
    return {name: value for name, value in said.items() if name not in Event.model_fields}


def told_difference(wanted: Wanted, before: AsOf | None, after: AsOf | None, *, as_json: bool) -> int:
    """One line for each value that changed."""
    if before is None and after is None:
        raise NotFound(wanted.kind, f"{wanted.id} at either moment")
    states = [{} if found is None else plain(found.state, erased=wanted.erased) for found in (before, after)]
    changes = difference(*states)
    if as_json:
        show(map(asdict, changes), as_json=True)
        return 0
    print(f"{wanted.kind} {wanted.id}: from {told_moment(before)} to {told_moment(after)}, {len(changes)} changes")
    show(({"field": c.place, "before": short(c.before), "after": short(c.after)} for c in changes), as_json=False)
    return 0


def told_moment(found: AsOf | None) -> str:
    return "nothing" if found is None else f"version {found.last.event.originator_version}"


def short(value: Any) -> str:
    return "" if value is None else str(value)


@asynccontextmanager
async def looking(settings: Settings, wanted: Wanted) -> AsyncIterator[Any]:
    """Gives a function from a moment to what there was. Reading personal fields is recorded as an operation."""
    contexts, state = KINDS[wanted.kind]
    async with AsyncExitStack() as stack:
        names = {c.name for c in contexts} | {users.CONTEXT.name}
        databases = await stack.enter_async_context(opened(settings, sorted(names), reads=False))
        keys: KeyStore = NoKeys()
        if wanted.why is not None:
            asked = await stack.enter_async_context(operating(settings))
            about: Facts = {"kind": str(wanted.kind), "at": str(wanted.at or "now")}
            done = asked.carried_out(OperationKind.PERSONAL_SHOW, str(wanted.id), about, wanted.why)
            await stack.enter_async_context(done)
            keys = PersonalKeys(databases.pool(users.CONTEXT.name), settings.master_key_bytes())

        async def look(at: Moment | None) -> AsOf | None:
            for context in contexts:
                reader = LogReader(databases.pool(context.name), context.name, keys)
                found = await as_of(context, reader, wanted.id, at)
                if found is not None and isinstance(found.state, state):
                    return found
            return None

        yield look
