"""What can be asked of the catalogue and the warehouse."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from commands.message import Command
from domain.ids import CategoryId, ClaimId, OrderId, ProductId, ReservationId, ReturnId, VariantId, new_id
from domain.money import Money
from domain.products.restock import RestockId, restock_of
from domain.products.value import (
    MAX_LINES,
    MAX_VARIANTS,
    AdjustReason,
    Attributes,
    CategoryName,
    Description,
    Images,
    Level,
    OptionNames,
    OptionValues,
    Quantity,
    ReservedLine,
    ReturnedLine,
    Title,
)
from domain.value import MAX_QUANTITY, Sku, Value


def fresh() -> Any:
    """A default for any kind of id."""
    return new_id()


def _not_zero(change: int) -> int:
    if not change:
        raise ValueError("the change must not be 0")
    return change


Change = Annotated[int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY), AfterValidator(_not_zero)]


class CreateCategory(Command):
    """At the top unless `parent_id` says below which other one."""

    id: CategoryId = Field(default_factory=fresh)
    name: CategoryName
    parent_id: CategoryId | None = None


class RenameCategory(Command):
    name: CategoryName


class MoveCategory(Command):
    """With all that is below it; `parent_id` null moves it to the top."""

    parent_id: CategoryId | None


class RemoveCategory(Command):
    """Only possible when no other category is below it."""


class NewVariant(Value):
    """`values` says a value for each of the product's options: `{"size": "M"}`."""

    id: VariantId = Field(default_factory=fresh)
    sku: Sku
    values: OptionValues = Field(default_factory=dict)
    price: Money


class DraftProduct(Command):
    """A product without options has exactly one variant. It can be bought once it is activated."""

    id: ProductId = Field(default_factory=fresh)
    name: Title
    description: Description = ""
    category_id: CategoryId | None = None
    attributes: Attributes = Field(default_factory=dict)
    images: Images = ()
    options: OptionNames = ()
    variants: Annotated[tuple[NewVariant, ...], Field(min_length=1, max_length=MAX_VARIANTS)]


class DraftClaimedProduct(DraftProduct):
    """With the claims on the variants' SKUs, in their order."""

    claims: tuple[ClaimId, ...]


class EditProduct(Command):
    """Says everything anew: what is left out is empty from then on."""

    name: Title
    description: Description = ""
    category_id: CategoryId | None = None
    attributes: Attributes = Field(default_factory=dict)


class ArrangeImages(Command):
    """All images, in their order."""

    images: Images


class ChangePrice(Command):
    variant_id: VariantId
    price: Money


class AddVariant(Command):
    variant_id: VariantId = Field(default_factory=fresh)
    sku: Sku
    values: OptionValues = Field(default_factory=dict)
    price: Money


class AddClaimedVariant(AddVariant):
    """With the claim on its SKU."""

    claim_id: ClaimId


class RemoveVariant(Command):
    """Refused while some of it is held for orders. What is still on hand is written off."""

    variant_id: VariantId


class ActivateProduct(Command):
    pass


class DiscontinueProduct(Command):
    pass


class ReceiveStock(Command):
    quantity: Quantity


class AdjustStock(Command):
    """`change` units more or, negative, fewer."""

    change: Change
    reason: AdjustReason


class CountStock(Command):
    """`counted` units are on hand, those that are held for orders included."""

    counted: Level


class SetThreshold(Command):
    """At so many available units and fewer the stock is low."""

    threshold: Level


class Reserve(Command):
    """All lines or none."""

    id: ReservationId = Field(default_factory=fresh)
    order_id: OrderId
    lines: Annotated[tuple[ReservedLine, ...], Field(min_length=1, max_length=MAX_LINES)]


class CommitReservation(Command):
    """The goods have left the house."""


class ReleaseReservation(Command):
    """The goods are available again."""


class PutBackReservation(Command):
    """The order gets nothing of it: held goods are available again, goods that had left are on hand again."""


class RestockReturn(Command):
    """Goods of a return that can be sold again: all lines or none, and once for a return.

    Without lines it is what the return brought. Lines of variants that are gone are refused: name the others.
    """

    order_id: OrderId
    return_id: ReturnId
    lines: Annotated[tuple[ReturnedLine, ...], Field(min_length=1, max_length=MAX_LINES)] | None = None

    @property
    def id(self) -> RestockId:
        return restock_of(self.order_id, self.return_id)
