"""Before the loop: SKUs become claims."""

from __future__ import annotations

from commands.products.messages import AddClaimedVariant, AddVariant, DraftClaimedProduct, DraftProduct
from commands.services import Services
from domain.products import sku


async def claim_skus(command: DraftProduct, services: Services) -> DraftClaimedProduct:
    claims = tuple(services.claims.claim_id("sku", sku.normalised(v.sku)) for v in command.variants)
    return DraftClaimedProduct.model_construct(**dict(command), claims=claims)


async def claim_sku(command: AddVariant, services: Services) -> AddClaimedVariant:
    claim_id = services.claims.claim_id("sku", sku.normalised(command.sku))
    return AddClaimedVariant.model_construct(**dict(command), claim_id=claim_id)
