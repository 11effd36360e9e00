from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.event import Event
from domain.products import CONTEXT, categories, stock
from domain.products.events import (
    CategoryCreated,
    CategoryMoved,
    CategoryRemoved,
    CategoryRenamed,
    PriceChanged,
    ProductActivated,
    ProductDiscontinued,
    ProductEdited,
    ReservationCommitted,
    ReservationReleased,
    ReservationReturned,
    StockClosed,
    StockReturned,
    ThresholdSet,
    VariantRemoved,
)
from domain.products.product import Product, ProductStatus
from domain.products.reservation import ReservationStatus
from domain.products.stock import StockStatus
from projections.model import Projector
from projections.products import projector as folding
from projections.products.projector import PRODUCTS, products, search
from projections.products.row import CategoryRow, HeldRow, PriceRow, ProductRow, ProductSearchRow, StockRow
from projections.words import vector
from tests.domain.products.histories import (
    DOLLS,
    HELD,
    LARGE,
    MUG,
    ORDER,
    SHIRT,
    SMALL,
    TOYS,
    drafted,
    eur,
    held,
    large,
    opened,
    received,
    reserved,
    small,
)
from tests.golden.corpus import samples_of
from tests.projections.fakes import recorded
from tests.specification import AT, Make, a

LATER = AT + timedelta(days=1)


def rows_after(events: Iterable[Event], *, but: Projector[Any] = search) -> dict[UUID, Any]:
    """By id: of the two rows a product has, only one."""
    rows: dict[UUID, Any] = {}
    for position, event in enumerate(events, 1):
        for projector, id in PRODUCTS.touched(event):
            if projector is not but:
                rows[id] = projector.apply(rows.get(id), recorded(event, position))
    return rows


def story(id: UUID, *makes: Make) -> list[Event]:
    return [make(id, version) for version, make in enumerate(makes, 1)]


def shirt(*makes: Make) -> ProductRow:
    row: ProductRow = rows_after(story(SHIRT, drafted, small, large, *makes))[SHIRT]
    return row


def searched(*makes: Make) -> ProductSearchRow:
    row: ProductSearchRow = rows_after(story(SHIRT, drafted, small, large, *makes), but=products)[SHIRT]
    return row


def mug(*makes: Make) -> StockRow:
    row: StockRow = rows_after(story(MUG, opened, *makes))[MUG]
    return row


def tree(*makes: Make) -> dict[UUID, CategoryRow]:
    return rows_after(story(categories.TREE, *makes))


def test_products_and_stock_agree_with_their_aggregates():
    events = [sample.event for sample in samples_of("products")]
    states: dict[UUID, Any] = {}
    for event in events:
        states[event.originator_id] = CONTEXT.evolve(states.get(event.originator_id), event)
    rows = rows_after(events)
    kinds = [type(rows[id]) for id, state in states.items() if isinstance(state, stock.Stock | Product)]
    assert set(kinds) == {StockRow, ProductRow}
    for id, state in states.items():
        if isinstance(state, stock.Stock):
            seen = (rows[id].version, rows[id].status, rows[id].on_hand, rows[id].reserved, rows[id].available)
            assert seen == (state.version, state.status, state.on_hand, state.reserved, state.available)
        if isinstance(state, Product):
            there = [(v.id, v.price) for v in rows[id].variants if v.removed_at is None]
            assert (rows[id].version, rows[id].status) == (state.version, state.status)
            assert there == [(v.id, v.price.amount) for v in state.variants]


def test_the_price_history_follows_from_the_events():
    row = shirt(a(PriceChanged, at=LATER, variant_id=SMALL, old=eur(1000), new=eur(900)))
    assert row.variants[0].prices == (PriceRow(AT, 1000), PriceRow(LATER, 900))
    assert (row.currency, row.min_price, row.max_price) == ("EUR", 900, 1000)


def test_a_removed_variant_keeps_its_history_and_counts_no_more():
    cheaper = a(PriceChanged, variant_id=SMALL, old=eur(1000), new=eur(1))
    row = shirt(cheaper, a(VariantRemoved, at=LATER, variant_id=SMALL))
    assert [(v.id, v.removed_at) for v in row.variants] == [(SMALL, LATER), (LARGE, None)]
    assert (row.min_price, row.max_price) == (1000, 1000)


def test_a_product_says_since_when_it_is_sold():
    row = shirt(a(ProductActivated), a(ProductDiscontinued, at=LATER))
    assert (row.status, row.activated_at, row.discontinued_at) == (ProductStatus.DISCONTINUED, AT, LATER)


def test_the_skus_of_a_product_are_those_of_variants_that_are_there():
    assert shirt().skus == ("SHIRT-S", "SHIRT-L")
    assert shirt(a(VariantRemoved, variant_id=SMALL)).skus == ("SHIRT-L",)


def test_a_product_is_searched_by_what_is_said_of_it_and_by_its_variants():
    row = searched()
    assert row.said == vector(("T-shirt", "A"), ("material", "C"), ("cotton", "C"), ("Soft.", "D"))
    assert row.sold == vector(("SHIRT-S", "B"), ("S", "C"), ("SHIRT-L", "B"), ("L", "C"))
    assert (row.name_key, row.currency, row.min_price, row.created_at) == ("t-shirt", "EUR", 1000, AT)


def test_an_edited_product_is_searched_by_what_is_said_now():
    row = searched(a(ProductEdited, name="Hose", description="Größe", category_id=TOYS, attributes={}))
    assert row.said == vector(("Hose", "A"), ("Größe", "D"))
    assert (row.name_key, row.category_id, row.attributes, row.sold) == ("hose", TOYS, {}, searched().sold)


def test_a_product_is_searched_by_its_present_variants_prices_and_status():
    cheaper = a(PriceChanged, variant_id=SMALL, old=eur(1000), new=eur(1))
    assert searched(cheaper).min_price == 1
    row = searched(cheaper, a(VariantRemoved, variant_id=SMALL))
    assert (row.min_price, row.sold) == (1000, vector(("SHIRT-L", "B"), ("L", "C")))
    assert searched(a(ProductActivated)).status is ProductStatus.ACTIVE
    assert searched(a(ProductActivated), a(ProductDiscontinued)).status is ProductStatus.DISCONTINUED


def test_a_search_row_agrees_with_its_product():
    events = [sample.event for sample in samples_of("products")]
    shown, found = rows_after(events), rows_after(events, but=products)
    rows = [row for row in found.values() if isinstance(row, ProductSearchRow)]
    assert rows
    for row in rows:
        of = shown[row.id]
        assert (row.version, row.status, row.category_id) == (of.version, of.status, of.category_id)
        assert (row.currency, row.min_price, row.attributes) == (of.currency, of.min_price, of.attributes)


def test_a_reservation_says_what_is_held_for_which_order_and_what_came_of_it():
    row = rows_after(story(HELD, held))[HELD]
    assert (row.order_id, row.status, row.held_at, row.ended_at) == (ORDER, ReservationStatus.HELD, AT, None)
    assert row.lines == (HeldRow(SMALL, 2), HeldRow(LARGE, 1))
    for event, status in (
        (ReservationCommitted, ReservationStatus.COMMITTED),
        (ReservationReleased, ReservationStatus.RELEASED),
    ):
        row = rows_after(story(HELD, held, a(event, at=LATER, order_id=ORDER)))[HELD]
        assert (row.status, row.held_at, row.ended_at) == (status, AT, LATER)


def test_a_reservation_that_came_back_says_when_it_left_and_when_it_was_back():
    committed = a(ReservationCommitted, order_id=ORDER)
    back = a(ReservationReturned, at=LATER, order_id=ORDER, written_off=())
    row = rows_after(story(HELD, held, committed, back))[HELD]
    assert (row.status, row.ended_at, row.returned_at) == (ReservationStatus.RETURNED, AT, LATER)


def test_stock_that_comes_back_is_available():
    row = mug(received(1), reserved(1), a(StockReturned, order_id=ORDER, quantity=2))
    assert (row.on_hand, row.reserved, row.available, row.status) == (3, 1, 2, StockStatus.IN_STOCK)


def test_stock_says_what_is_available_and_how_much_that_is():
    row = mug(received(5), a(ThresholdSet, threshold=3), reserved(2))
    assert (row.product_id, row.on_hand, row.reserved, row.available, row.status) == (SHIRT, 5, 2, 3, StockStatus.LOW)


def test_closed_stock_is_empty():
    row = mug(received(5), a(StockClosed, written_off=5))
    assert (row.on_hand, row.available, row.status) == (0, 0, StockStatus.CLOSED)


def test_each_category_is_a_row_of_its_own():
    toys = a(CategoryCreated, category_id=TOYS, name="Toys", parent_id=None)
    dolls = a(CategoryCreated, category_id=DOLLS, name="Dolls", parent_id=TOYS)
    rows = tree(toys, dolls, a(CategoryRenamed, category_id=TOYS, name="Games"))
    assert rows[TOYS] == CategoryRow(TOYS, 3, AT, "Games", None)
    assert rows[DOLLS] == CategoryRow(DOLLS, 2, AT, "Dolls", TOYS)
    moved = tree(toys, dolls, a(CategoryMoved, category_id=DOLLS, parent_id=None))
    assert moved[DOLLS].parent_id is None


def test_a_removed_category_can_be_made_again():
    toys = a(CategoryCreated, category_id=TOYS, name="Toys", parent_id=None)
    gone = tree(toys, a(CategoryRemoved, category_id=TOYS))[TOYS]
    assert gone.removed
    assert tree(toys, a(CategoryRemoved, category_id=TOYS), toys)[TOYS] == replace(gone, version=3, removed=False)


def test_a_price_does_not_make_what_is_found_by_words_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes as long as the product has variants, and prices change all day."""
    made: list[Any] = []

    def noted(*texts: Any) -> str:
        made.append(texts)
        return vector(*texts)

    monkeypatch.setattr(folding, "vector", noted)
    price = a(PriceChanged, variant_id=SMALL, old=eur(1000), new=eur(900))
    log = [make(SHIRT, version) for version, make in enumerate([drafted, small, large], 1)]
    before = rows_after(log, but=products)[SHIRT]
    times = len(made)
    after = rows_after([*log, price(SHIRT, 4)], but=products)[SHIRT]
    assert len(made) == 2 * times
    assert (before.min_price, after.min_price, after.sold) == (1000, 900, before.sold)
