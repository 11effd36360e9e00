"""The fields that a query begins with: what they list, who may ask, and which rows are whose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.actor import Actor
from projections.listing import Condition, Listing
from projections.orders.queries import ORDERS
from projections.payments.queries import PAYMENTS
from projections.products.queries import PRODUCTS
from projections.users.queries import USERS
from read_api.access import Public, SignedIn, Staff
from read_api.compiled.orders import ORDER
from read_api.compiled.payments import PAYMENT
from read_api.compiled.products import PRODUCT
from read_api.compiled.shapes import Fields
from read_api.compiled.users import USER
from read_api.filters import conditions, own
from read_api.products.where import columns as products_columns
from read_api.products.where import on_sale
from read_api.users.where import columns

Access = type[Public] | type[SignedIn] | type[Staff]


@dataclass(frozen=True, slots=True)
class Root:
    """`own` are the conditions on what an actor may see, `where` those that the argument of that name asks for.

    `by_id`: the one object with the id of the argument `id`, or, `oneself`, of the actor; else pages of a list.
    """

    type: str
    fields: Fields
    listing: Listing[Any]
    access: Access
    own: Callable[[Actor], Iterable[Condition]]
    where: Callable[[Any], Iterable[Condition]] = conditions
    by_id: bool = False
    oneself: bool = False


def every(actor: Actor) -> list[Condition]:
    return []


def theirs(actor: Actor) -> list[Condition]:
    return [] if actor.in_charge else [Condition("id", "eq", actor.id)]


def selves(actor: Actor) -> list[Condition]:
    return [Condition("id", "eq", actor.id)]


ROOTS: Final[Mapping[str, Root]] = {
    "me": Root("User", USER, USERS, SignedIn, selves, oneself=True),
    "user": Root("User", USER, USERS, SignedIn, theirs, by_id=True),
    "users": Root("User", USER, USERS, Staff, every, columns),
    "order": Root("Order", ORDER, ORDERS, SignedIn, own, by_id=True),
    "orders": Root("Order", ORDER, ORDERS, SignedIn, own),
    "payment": Root("Payment", PAYMENT, PAYMENTS, SignedIn, own, by_id=True),
    "payments": Root("Payment", PAYMENT, PAYMENTS, SignedIn, own),
    "product": Root("Product", PRODUCT, PRODUCTS, Public, on_sale, by_id=True),
    "products": Root("Product", PRODUCT, PRODUCTS, Public, on_sale, products_columns),
}

ARGUMENTS: Final = frozenset({"id", "first", "after", "last", "before", "where", "orderBy"})
"""What is understood here; a field that is given another is left to the executor."""


def may_ask(root: Root, actor: Actor) -> bool:
    """Where not, the executor says why."""
    if root.access is Public:
        return True
    return actor.in_charge if root.access is Staff else actor.in_charge or actor.id is not None
