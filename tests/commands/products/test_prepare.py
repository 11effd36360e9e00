from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from commands.products.messages import AddVariant, DraftProduct
from commands.products.prepare import claim_sku, claim_skus
from domain.ids import ClaimId
from tests.commands.products.desk import STAFF, claim, eur, new_variant


def claim_id(kind: str, value: str) -> ClaimId:
    assert kind == "sku"
    return claim(value)


SERVICES: Any = SimpleNamespace(claims=SimpleNamespace(claim_id=claim_id))


async def test_a_draft_gets_a_claim_for_each_sku():
    draft = DraftProduct(
        name="Tea", options=("size",), variants=(new_variant("a", size="S"), new_variant("B", size="L"))
    )
    prepared = await claim_skus(draft, SERVICES)
    assert prepared.claims == (claim("A"), claim("B"))
    assert (prepared.id, prepared.variants, prepared.bind(by=STAFF).target) == (draft.id, draft.variants, draft.id)


async def test_a_variant_gets_a_claim():
    command = AddVariant(sku="tea", price=eur(1))
    prepared = await claim_sku(command, SERVICES)
    assert (prepared.claim_id, prepared.variant_id) == (claim("TEA"), command.variant_id)
