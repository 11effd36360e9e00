"""Before the loop: what the catalogue, shipping and tax say.

A refusal is not raised here but carried into the loop: only there does it become the one reply to an idempotency key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from commands.message import Command
from commands.orders.messages import (
    AddItem,
    AddLine,
    AskQuote,
    DraftOrder,
    PlaceDraft,
    PlaceNow,
    PlaceOrder,
    Wanted,
)
from commands.services import Offer, Services
from domain.errors import DomainError, NotFound
from domain.ids import OrderId, VariantId
from domain.orders.errors import EmptyOrder, NotForSale
from domain.orders.order import Order
from domain.orders.quote import Item, Quote, goods
from domain.value import Address

C = TypeVar("C", bound=Command)


async def quoted(message: AskQuote, services: Services) -> Quote:
    """Raises NotForSale, CurrencyMismatch, AmountTooLarge, CannotShip."""
    return await quote(message.lines, message.currency, message.address, services)


async def priced(message: PlaceOrder, services: Services) -> PlaceNow | PlaceDraft:
    try:
        await known_customer(message, services)
        answer: Quote | DomainError = await quote_of(message, services)
    except DomainError as refusal:
        answer = refusal
    if message.draft_id is None:
        return made(PlaceNow, message, id=message.id, order=message, quote=answer)
    return made(PlaceDraft, message, order=message, quote=answer).bind(by=message.by, target=message.draft_id)


async def drafted(message: DraftOrder, services: Services) -> DraftOrder:
    await known_customer(message, services)
    return message


async def offered(message: AddLine, services: Services) -> AddItem:
    offers = await services.catalogue.offers([message.variant_id])
    offer = offers.get(message.variant_id)
    if offer is None or not offer.sold:
        return made(AddItem, message, item=NotForSale([message.variant_id]))
    return made(AddItem, message, item=item(offer, message.quantity))


def made(kind: type[C], message: Command, **fields: Any) -> C:
    """The command to be decided, asked by the same."""
    command = kind(**fields)
    command.bind(by=message.by)
    return command


async def known_customer(message: PlaceOrder | DraftOrder, services: Services) -> None:
    """Raises NotFound when somebody of the shop orders for a user who does not exist."""
    id = message.customer_id
    if id is not None and id != message.by.id and await services.states.get("users", id) is None:
        raise NotFound("user", id)


async def quote_of(message: PlaceOrder, services: Services) -> Quote:
    lines = message.lines
    if lines is None:
        assert message.draft_id is not None
        lines = await lines_of(message.draft_id, services)
    return await quote(lines, message.quoted_total.currency, message.address, services)


async def lines_of(draft_id: OrderId, services: Services) -> tuple[Wanted, ...]:
    draft = await services.states.get("orders", draft_id)
    if not isinstance(draft, Order):
        raise NotFound("order", draft_id)
    if not draft.lines:
        raise EmptyOrder(draft_id)
    return tuple(Wanted(variant_id=line.variant_id, quantity=line.quantity) for line in draft.lines)


async def quote(lines: Iterable[Wanted], currency: str, address: Address | None, services: Services) -> Quote:
    wanted = tuple(lines)
    items = priced_items(wanted, await services.catalogue.offers({line.variant_id for line in wanted}))
    net = goods(items, currency)
    shipping = services.shipping.cost([(line.unit_price, line.quantity) for line in items], address)
    tax = services.tax.tax(net + shipping, address)
    return Quote(lines=items, shipping=shipping, tax=tax, total=net + shipping + tax)


def priced_items(wanted: Iterable[Wanted], offers: Mapping[VariantId, Offer]) -> tuple[Item, ...]:
    lines = tuple(wanted)
    gone = {line.variant_id for line in lines if not sold(offers.get(line.variant_id))}
    if gone:
        raise NotForSale(gone)
    return tuple(item(offers[line.variant_id], line.quantity) for line in lines)


def sold(offer: Offer | None) -> bool:
    return offer is not None and offer.sold


def item(offer: Offer, quantity: int) -> Item:
    return Item(
        product_id=offer.product_id,
        variant_id=offer.variant_id,
        sku=offer.sku,
        name=offer.name,
        unit_price=offer.price,
        quantity=quantity,
    )
