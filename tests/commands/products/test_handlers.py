"""Commands of the catalogue and the warehouse: what they read, and what they lead to over several aggregates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from commands.products import messages as m
from domain.errors import AlreadyExists, InvalidValue, NotFound
from domain.ids import CategoryId, new_id
from domain.products.categories import TREE
from domain.products.errors import CategoryCycle, InsufficientStock, SkuTakenAlready, StockHeld, VariantsGone
from domain.products.restock import restock_of
from domain.products.stock import Stock, StockStatus
from tests.commands.products.desk import Desk, add_variant, draft, new_variant, reserve, restock


@pytest.fixture
def desk() -> Desk:
    return Desk()


def stock_of(desk: Desk, id: UUID) -> Stock:
    found: Any = desk.states[id]
    assert isinstance(found, Stock)
    return found


def topics(desk: Desk) -> list[str]:
    return [event.TOPIC.removeprefix("products.") for event in desk.events]


def in_stock(desk: Desk, quantity: int, sku: str = "TEA") -> UUID:
    """A product of one variant, of which there is so much."""
    variant = new_variant(sku)
    desk.do(draft(variant))
    desk.do(m.ReceiveStock(quantity=quantity), variant.id)
    return variant.id


def test_a_product_comes_with_its_skus_and_stocks(desk: Desk):
    small, large = new_variant("TEA-S", size="S"), new_variant("TEA-L", size="L")
    answer = desk.do(draft(small, large))
    assert (answer.version, answer.status) == (3, "DRAFT")
    assert topics(desk) == ["product-drafted", *["variant-added"] * 2, *["sku-taken", "stock-opened"] * 2]
    assert stock_of(desk, small.id).product_id == answer.id


def test_a_sku_is_there_once_whatever_its_case(desk: Desk):
    desk.do(draft(new_variant("tea")))
    with pytest.raises(SkuTakenAlready):
        desk.do(draft(new_variant("TEA")))


def test_one_sku_twice_in_a_product_is_refused(desk: Desk):
    with pytest.raises(SkuTakenAlready):
        desk.do(draft(new_variant("TEA", size="S"), new_variant("tea", size="L")))


def test_ids_are_used_once_in_the_whole_context(desk: Desk):
    variant = in_stock(desk, 1)
    for taken in (
        draft(new_variant("TEA-2"), id=variant),
        draft(new_variant("TEA-2", variant)),
        draft(new_variant("TEA-2", TREE)),
        draft(new_variant("TEA-2"), id=TREE),
        reserve((variant, 1), id=variant),
    ):
        with pytest.raises(AlreadyExists):
            desk.do(taken)


def test_a_product_and_its_variant_have_two_ids(desk: Desk):
    id = new_id()
    with pytest.raises(InvalidValue):
        desk.do(draft(new_variant("TEA", id), id=id))


def test_a_product_goes_into_a_category_that_is_there(desk: Desk):
    toys = desk.do(m.CreateCategory(name="Toys"))
    product = desk.do(draft(new_variant("TEA"), category_id=CategoryId(toys.id)))
    nowhere = CategoryId(new_id())
    with pytest.raises(NotFound):
        desk.do(draft(new_variant("TEA-2"), category_id=nowhere))
    with pytest.raises(NotFound):
        desk.do(m.EditProduct(name="Tea", category_id=nowhere), product.id)


def test_a_product_stays_editable_when_its_category_is_gone(desk: Desk):
    toys = CategoryId(desk.do(m.CreateCategory(name="Toys")).id)
    product = desk.do(draft(new_variant("TEA"), category_id=toys))
    desk.do(m.RemoveCategory(), toys)
    assert desk.do(m.EditProduct(name="Green tea", category_id=toys), product.id).version == 3


def test_a_removed_variant_lets_its_sku_go(desk: Desk):
    small, large = new_variant("TEA-S", size="S"), new_variant("TEA-L", size="L")
    product = desk.do(draft(small, large))
    desk.do(m.RemoveVariant(variant_id=small.id), product.id)
    assert topics(desk) == ["variant-removed", "sku-freed", "stock-closed"]
    desk.do(add_variant("TEA-S", size="M"), product.id)
    assert topics(desk) == ["variant-added", "sku-taken", "stock-opened"]


def test_a_variant_that_is_held_stays(desk: Desk):
    small, large = new_variant("TEA-S", size="S"), new_variant("TEA-L", size="L")
    product = desk.do(draft(small, large))
    desk.do(m.ReceiveStock(quantity=1), small.id)
    desk.do(reserve((small.id, 1)))
    with pytest.raises(StockHeld):
        desk.do(m.RemoveVariant(variant_id=small.id), product.id)


def test_an_order_is_reserved_and_committed_over_all_its_stocks(desk: Desk):
    tea, cup = in_stock(desk, 5), in_stock(desk, 5, "CUP")
    held = desk.do(reserve((tea, 2), (cup, 1), (tea, 1)))
    assert (held.version, held.status) == (1, "HELD")
    assert topics(desk) == ["reservation-held", "stock-reserved", "stock-reserved"]
    done = desk.do(m.CommitReservation(), held.id)
    assert (done.version, done.status) == (2, "COMMITTED")
    assert [(stock_of(desk, id).on_hand, stock_of(desk, id).reserved) for id in (tea, cup)] == [(2, 0), (4, 0)]
    assert desk.do(m.CommitReservation(), held.id) == done
    assert desk.events == []


def test_a_reservation_that_cannot_be_had_in_full_holds_nothing(desk: Desk):
    tea, cup = in_stock(desk, 5), in_stock(desk, 1, "CUP")
    with pytest.raises(InsufficientStock) as refused:
        desk.do(reserve((tea, 2), (cup, 2)))
    assert refused.value.facts["short"] == [{"variantId": str(cup), "asked": 2, "available": 1}]
    assert stock_of(desk, tea).reserved == 0


def test_released_goods_are_available_again(desk: Desk):
    tea = in_stock(desk, 1)
    held = desk.do(reserve((tea, 1)))
    assert stock_of(desk, tea).status is StockStatus.OUT_OF_STOCK
    assert desk.do(m.ReleaseReservation(), held.id).status == "RELEASED"
    assert stock_of(desk, tea).status is StockStatus.IN_STOCK


def test_a_committed_order_is_put_back_and_a_held_one_released(desk: Desk):
    tea, cup = in_stock(desk, 5), in_stock(desk, 1, "CUP")
    committed, held = desk.do(reserve((tea, 2), (cup, 1))), desk.do(reserve((tea, 3)))
    desk.do(m.CommitReservation(), committed.id)
    done = desk.do(m.PutBackReservation(), committed.id)
    assert (done.version, done.status) == (3, "RETURNED")
    assert topics(desk) == ["reservation-returned", *["stock-returned", "stock-came-back"] * 2]
    assert desk.do(m.PutBackReservation(), held.id).status == "RELEASED"
    assert [(stock_of(desk, id).on_hand, stock_of(desk, id).reserved) for id in (tea, cup)] == [(5, 0), (1, 0)]
    assert desk.do(m.PutBackReservation(), committed.id) == done
    assert desk.events == []


def test_what_a_customer_returned_is_restocked(desk: Desk):
    tea, cup = in_stock(desk, 5), in_stock(desk, 1, "CUP")
    back = restock((tea, 2), (cup, 1))
    answer = desk.do(back)
    assert (answer.id, answer.version, answer.status) == (restock_of(back.order_id, back.return_id), 1, "DONE")
    assert [stock_of(desk, id).on_hand for id in (tea, cup)] == [7, 2]
    assert desk.do(back) == answer
    assert desk.events == []


def test_a_return_of_which_a_variant_is_gone_is_restocked_without_it(desk: Desk):
    small, large = new_variant("TEA-S", size="S"), new_variant("TEA-L", size="L")
    product = desk.do(draft(small, large))
    desk.do(m.RemoveVariant(variant_id=small.id), product.id)
    back = restock((small.id, 1), (large.id, 1))
    with pytest.raises(VariantsGone) as refused:
        desk.do(back)
    assert refused.value.facts == {"variants": [str(small.id)]}
    assert stock_of(desk, large.id).on_hand == 0
    desk.do(back.model_copy(update={"lines": (back.lines or ())[1:]}))
    assert stock_of(desk, large.id).on_hand == 1


def test_what_is_not_there_is_not_found(desk: Desk):
    for command in (m.ReceiveStock(quantity=1), m.CommitReservation(), m.ActivateProduct(), m.RemoveCategory()):
        with pytest.raises(NotFound):
            desk.do(command, new_id())
    with pytest.raises(NotFound):
        desk.do(reserve((new_id(), 1)))
    with pytest.raises(NotFound):
        desk.do(restock((new_id(), 1)))


def test_a_product_is_no_stock(desk: Desk):
    product = desk.do(draft(new_variant("TEA")))
    with pytest.raises(NotFound):
        desk.do(m.ReceiveStock(quantity=1), product.id)


def test_categories_answer_with_the_version_of_the_tree(desk: Desk):
    toys = desk.do(m.CreateCategory(name="Toys"))
    dolls = desk.do(m.CreateCategory(name="Dolls", parent_id=CategoryId(toys.id)))
    assert (toys.version, dolls.version, dolls.status) == (1, 2, "ACTIVE")
    with pytest.raises(CategoryCycle):
        desk.do(m.MoveCategory(parent_id=CategoryId(dolls.id)), toys.id)


def test_every_message_has_its_handler():
    from commands.products.handlers import HANDLERS
    from commands.products.routes import ROUTES

    prepared = {m.DraftProduct: m.DraftClaimedProduct, m.AddVariant: m.AddClaimedVariant}
    assert {prepared.get(route.message, route.message) for route in ROUTES} == set(HANDLERS)
