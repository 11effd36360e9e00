"""What a product and its variants are made of, and their stock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import strawberry

from domain.actor import Actor
from projections.products.row import StockRow
from read_api.products.enums import StockStatus
from read_api.scalars import Long, Money


@strawberry.type(description="A name and its value: an attribute of a product, or a variant's value for an option.")
class Attribute:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The value.")


@strawberry.type(description="A picture of a product.")
class Image:
    url: str = strawberry.field(description="Where it is.")
    alt: str | None = strawberry.field(description="What is said where it cannot be seen.")


@strawberry.type(description="A price and since when it holds.")
class PriceSince:
    at: datetime = strawberry.field(description="Since when.")
    price: Money = strawberry.field(description="The price.")


@strawberry.type(description="The stock of a variant. What is on hand and held is for staff only.")
class Stock:
    version: int = strawberry.field(description="Counts its changes; the same number as in the command API's ETag.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    status: StockStatus = strawberry.field(description="How much is available, seen from afar.")
    available: Long = strawberry.field(description="Units that can be ordered.")
    on_hand: Long | None = strawberry.field(description="Units that are there, held or not.")
    reserved: Long | None = strawberry.field(description="Held for orders.")
    threshold: Long | None = strawberry.field(description="At so many available units and fewer it is low.")


@strawberry.type(description="A category on the way from the top.")
class CategoryStep:
    id: strawberry.ID = strawberry.field(description="The category's id.")
    name: str = strawberry.field(description="What it is called.")


def attributes(values: Mapping[str, str]) -> list[Attribute]:
    return [Attribute(name=name, value=value) for name, value in values.items()]


def stock(row: StockRow, actor: Actor) -> Stock:
    """The stock as `actor` may see it."""
    staff = actor.in_charge
    return Stock(
        version=row.version,
        updated_at=row.updated_at,
        status=row.status,
        available=Long(row.available),
        on_hand=Long(row.on_hand) if staff else None,
        reserved=Long(row.reserved) if staff else None,
        threshold=Long(row.threshold) if staff else None,
    )
