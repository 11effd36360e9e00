"""What can be asked of orders."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from commands.message import Command
from domain.errors import DomainError
from domain.ids import OrderId, ReturnId, SagaId, ShipmentId, UserId, VariantId, new_id
from domain.money import Currency, Money
from domain.orders.events import Portion, Quantity, RejectReason
from domain.orders.order import MAX_LINES
from domain.orders.quote import Item, Quote
from domain.value import Address, Line, Note, PaymentMethod, Value


def fresh() -> Any:
    """A default for any kind of id."""
    return new_id()


Token = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class Wanted(Value):
    """So many of a variant."""

    variant_id: VariantId
    quantity: Quantity


WantedLines = Annotated[tuple[Wanted, ...], Field(min_length=1, max_length=MAX_LINES)]
Portions = Annotated[tuple[Portion, ...], Field(min_length=1, max_length=MAX_LINES)]


class AskQuote(Command):
    """Without an address shipping and tax are those of the shop's own country."""

    lines: WantedLines
    currency: Currency
    address: Address | None = None


class PaymentChoice(Value):
    """`token` stands for the card or account at the gateway; without it the customer is asked later."""

    method: PaymentMethod
    token: Token | None = None


class PlaceOrder(Command):
    """Orders `lines` at once, or what is in the draft. `quotedTotal` is what the customer agreed to pay.

    The shop's own people name in `customerId` whom they order for.
    """

    id: OrderId = Field(default_factory=fresh)
    customer_id: UserId | None = None
    lines: WantedLines | None = None
    draft_id: OrderId | None = None
    address: Address
    payment: PaymentChoice
    quoted_total: Money
    note: Note = ""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.lines is None) == (self.draft_id is None):
            raise ValueError("give either lines or draftId")
        if self.draft_id is not None and "id" in self.model_fields_set:
            raise ValueError("a draft keeps its id: leave id out")
        return self


class Quoted(Command):
    """Base of orders to be placed whose lines were quoted, or could not be."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    order: PlaceOrder
    quote: Quote | DomainError


class PlaceNow(Quoted):
    id: OrderId


class PlaceDraft(Quoted):
    pass


class DraftOrder(Command):
    """Begins a cart. All its prices are in one currency."""

    id: OrderId = Field(default_factory=fresh)
    customer_id: UserId | None = None
    currency: Currency


class AddLine(Command):
    """Puts a variant into the cart; what is in it already grows."""

    variant_id: VariantId
    quantity: Quantity = 1


class AddItem(Command):
    """AddLine with what the catalogue says of the variant."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    item: Item | DomainError


class ChangeLine(Command):
    variant_id: VariantId
    quantity: Quantity


class RemoveLine(Command):
    variant_id: VariantId


class SagaCommand(Command):
    """Base of what sagas do to an order. One says in `saga` which it is, and is refused unless it works the order."""

    saga: SagaId | None = None


class ConfirmOrder(SagaCommand):
    pass


class RejectOrder(SagaCommand):
    reason: RejectReason
    note: Note = ""


class ExpireOrder(SagaCommand):
    pass


class CancelOrder(Command):
    """The shop's own people say why, in `note`."""

    note: Note = ""


class CloseOrder(SagaCommand):
    """Ends a cancellation once money and goods have been put back."""

    note: Note = ""


class HandOverOrder(Command):
    """The saga that works an order that is to be cancelled leaves it to its cancellation."""

    saga: SagaId
    to: Literal["cancellation"]


class ReleaseOrder(Command):
    """The saga is done with the order; a return that waits, or a cancellation, begins. Nothing if another works it."""

    saga: SagaId


class ShipOrder(Command):
    """Without lines: all that is open."""

    shipment_id: ShipmentId = Field(default_factory=fresh)
    lines: Portions | None = None
    carrier: Line
    tracking: Line | None = None


class DeliverOrder(Command):
    """Without a shipment: all that are on their way."""

    shipment_id: ShipmentId | None = None


class ReturnOrder(Command):
    """Without lines: all that is left. Whether the goods go back on the shelf is for the shop's own people to say.

    They give a reason in `note`.
    """

    return_id: ReturnId = Field(default_factory=fresh)
    lines: Portions | None = None
    restock: bool | None = None
    note: Note = ""
