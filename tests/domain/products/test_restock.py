"""Restocks: the goods of a return, all lines or none, once."""

from __future__ import annotations

from typing import Any

from domain.errors import AlreadyExists, NotAllowedNow
from domain.ids import ReturnId, VariantId
from domain.products import restock as restocks
from domain.products.errors import StockLimit, VariantsGone
from domain.products.events import ReturnRestocked, StockCameBack, StockClosed, StockReturned
from domain.products.restock import Find, restock_of
from domain.products.stock import take_back
from domain.products.value import ReturnedLine
from domain.value import MAX_QUANTITY
from tests.domain.products.histories import LARGE, MUG, ORDER, OTHER_ORDER, SMALL, STOCK, named, opened, received
from tests.domain.products.test_reservation import warehouse
from tests.specification import Make, Specification, When, a

RETURN = ReturnId(named("return"))
RESTOCK = Specification(restock_of(ORDER, RETURN), restocks.evolve)

closed = a(StockClosed, written_off=0)
shelves = warehouse(small=(opened, received(5)), large=(opened,), mug=(opened, closed))


def line(variant_id: VariantId, quantity: int) -> ReturnedLine:
    return ReturnedLine(variant_id=variant_id, quantity=quantity)


def restocked(*lines: ReturnedLine) -> Make:
    return a(ReturnRestocked, order_id=ORDER, return_id=RETURN, lines=lines)


def returned(quantity: int) -> Make:
    return a(StockReturned, order_id=ORDER, quantity=quantity)


def asked(*lines: ReturnedLine, before: tuple[Make, ...] = (), find: Find = shelves) -> When:
    return RESTOCK.given(*before).when(restocks.restock, ORDER, RETURN, lines, find)


def test_the_goods_of_a_return_are_on_hand_again():
    lines = line(SMALL, 2), line(LARGE, 1)
    asked(*lines).then(restocked(*lines), returned(2), returned(1), a(StockCameBack, available=1))


def test_the_same_variant_on_two_lines_is_summed():
    asked(line(SMALL, 2), line(SMALL, 1)).then(restocked(line(SMALL, 3)), returned(3))


def test_a_return_is_restocked_once():
    before = (restocked(line(SMALL, 3)),)
    asked(line(SMALL, 2), line(SMALL, 1), before=before).then()
    asked(line(SMALL, 4), before=before).refused(AlreadyExists)


def test_a_variant_that_is_gone_refuses_all_and_is_named():
    refusal: Any = asked(line(SMALL, 2), line(MUG, 1)).refused(VariantsGone, variants=[str(MUG)])
    assert "leave their lines out" in refusal.detail
    asked(line(SMALL, 2)).then(restocked(line(SMALL, 2)), returned(2))


def test_returns_of_two_orders_are_two_even_if_their_clients_chose_one_id():
    assert restock_of(ORDER, RETURN) != restock_of(OTHER_ORDER, RETURN)


def test_what_comes_back_finds_a_stock_that_is_open_and_has_room():
    STOCK.given(opened, closed).when(take_back, ORDER, 1).refused(NotAllowedNow, status="CLOSED")
    STOCK.given(opened, received(1)).when(take_back, ORDER, MAX_QUANTITY).refused(StockLimit)
    STOCK.given(opened, received(1)).when(take_back, ORDER, 2).then(returned(2))
