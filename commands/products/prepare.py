"""Before the loop: SKUs become claims, and a return's goods are looked up in its order."""

from __future__ import annotations

from commands.products.messages import (
    AddClaimedVariant,
    AddVariant,
    DraftClaimedProduct,
    DraftProduct,
    RestockReturn,
)
from commands.services import Services
from domain.errors import NotFound
from domain.orders.order import Order
from domain.products import sku
from domain.products.value import ReturnedLine


async def claim_skus(command: DraftProduct, services: Services) -> DraftClaimedProduct:
    claims = tuple(services.claims.claim_id("sku", sku.normalised(v.sku)) for v in command.variants)
    return DraftClaimedProduct.model_construct(**dict(command), claims=claims)


async def claim_sku(command: AddVariant, services: Services) -> AddClaimedVariant:
    claim_id = services.claims.claim_id("sku", sku.normalised(command.sku))
    return AddClaimedVariant.model_construct(**dict(command), claim_id=claim_id)


async def what_came(command: RestockReturn, services: Services) -> RestockReturn:
    """Raises NotFound where the order, or the return, is not there."""
    if command.lines is not None:
        return command
    order = await services.states.get("orders", command.order_id)
    if not isinstance(order, Order):
        raise NotFound("order", command.order_id)
    found = next((each for each in order.returns if each.id == command.return_id), None)
    if found is None:
        raise NotFound("return", command.return_id)
    variants = {line.number: line.variant_id for line in order.lines}
    lines = tuple(ReturnedLine(variant_id=variants[p.line], quantity=p.quantity) for p in found.lines)
    return RestockReturn.model_construct(**dict(command) | {"lines": lines})
