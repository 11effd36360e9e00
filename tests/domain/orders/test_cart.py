from __future__ import annotations

from datetime import UTC, datetime

from domain.ids import OrderId, VariantId, derive
from domain.money import CurrencyMismatch, Money
from domain.orders import cart
from domain.orders.errors import DraftChanged, EmptyOrder, NoSuchLine, PriceChanged, TooMany, TooManyLines
from domain.orders.events import LineAdded, LineChanged, LineRemoved, OrderDrafted, OrderPlaced
from domain.orders.quote import Item
from domain.value import MAX_QUANTITY
from tests.domain.orders.samples import (
    CUP,
    CUSTOMER,
    HOME,
    ORDER,
    TEA,
    cup_added,
    drafted,
    eur,
    item,
    line,
    order,
    placed,
    purchase,
    tea_added,
    tea_removed,
)
from tests.specification import Given, a

AT = datetime(2026, 3, 1, tzinfo=UTC)
NOBODY_YET = Given(OrderId(ORDER))


def many(lines: int) -> list[Item]:
    return [item(VariantId(derive("test", str(n)))) for n in range(lines)]


def test_a_cart_begins_empty() -> None:
    NOBODY_YET.when(cart.draft, CUSTOMER, "EUR").then(a(OrderDrafted, customer_id=CUSTOMER, currency="EUR"))


def test_a_variant_goes_into_the_cart_at_its_name_and_price() -> None:
    order.given(drafted).when(cart.add_line, item(TEA, 2)).then(a(LineAdded, line=line(1, TEA, 2)))


def test_a_variant_that_is_in_the_cart_keeps_its_line() -> None:
    order.given(drafted, tea_added).when(cart.add_line, item(TEA, 3)).then(a(LineChanged, variant_id=TEA, quantity=5))


def test_a_removed_line_leaves_its_number_free_only_at_the_end() -> None:
    order.given(drafted, tea_added, cup_added, tea_removed).when(cart.add_line, item(TEA)).then(
        a(LineAdded, line=line(3, TEA, 1))
    )


def test_another_currency_does_not_go_into_the_cart() -> None:
    yen = item(TEA, 1, Money(amount=100, currency="JPY"))
    order.given(drafted).when(cart.add_line, yen).refused(CurrencyMismatch)


def test_a_cart_is_full_at_100_lines() -> None:
    full = [a(LineAdded, line=it.numbered(n)) for n, it in enumerate(many(100), 1)]
    order.given(drafted, *full).when(cart.add_line, item(TEA)).refused(TooManyLines, maximum=100)


def test_a_quantity_has_a_limit() -> None:
    order.given(drafted, tea_added).when(cart.add_line, item(TEA, MAX_QUANTITY)).refused(TooMany)


def test_a_quantity_is_changed() -> None:
    order.given(drafted, tea_added).when(cart.change_line, TEA, 9).then(a(LineChanged, variant_id=TEA, quantity=9))


def test_the_same_quantity_changes_nothing() -> None:
    order.given(drafted, tea_added).when(cart.change_line, TEA, 2).then()


def test_a_line_is_removed() -> None:
    order.given(drafted, tea_added).when(cart.remove_line, TEA).then(a(LineRemoved, variant_id=TEA))


def test_what_is_not_in_the_cart_is_neither_changed_nor_removed() -> None:
    order.given(drafted, tea_added).when(cart.change_line, CUP, 1).refused(NoSuchLine, lines=[str(TEA)])
    order.given(drafted, tea_added).when(cart.remove_line, CUP).refused(NoSuchLine)


def test_placing_captures_lines_costs_address_and_payment() -> None:
    [event] = NOBODY_YET.when(cart.place, CUSTOMER, purchase(item(TEA, 2), item(CUP))).then(placed)
    assert isinstance(event, OrderPlaced)
    assert (event.total, event.address, event.payment_token) == (eur(4155), HOME, "pm_card")


def test_the_same_variant_may_stand_on_two_lines_of_a_placed_order() -> None:
    [event] = NOBODY_YET.when(cart.place, CUSTOMER, purchase(item(TEA), item(TEA))).then(OrderPlaced)
    assert isinstance(event, OrderPlaced)
    assert [placed.number for placed in event.lines] == [1, 2]


def test_a_draft_is_placed() -> None:
    order.given(drafted, tea_added, cup_added).when(cart.place_draft, purchase(item(TEA, 2), item(CUP))).then(placed)


def test_a_draft_that_changed_since_it_was_quoted_is_not_placed() -> None:
    order.given(drafted, tea_added).when(cart.place_draft, purchase(item(TEA, 1))).refused(DraftChanged)


def test_an_empty_order_is_not_placed() -> None:
    order.given(drafted).when(cart.place_draft, purchase()).refused(EmptyOrder)
    NOBODY_YET.when(cart.place, CUSTOMER, purchase()).refused(EmptyOrder)


def test_an_order_has_at_most_100_lines() -> None:
    NOBODY_YET.when(cart.place, CUSTOMER, purchase(*many(100))).then(OrderPlaced)
    NOBODY_YET.when(cart.place, CUSTOMER, purchase(*many(101))).refused(TooManyLines)


def test_another_total_than_the_agreed_one_is_refused_with_a_new_quote() -> None:
    dearer = purchase(item(TEA, 2), agreed=eur(3000))
    refusal = NOBODY_YET.when(cart.place, CUSTOMER, dearer).refused(PriceChanged)
    assert refusal.facts["quote"]["total"] == {"amount": 3155, "currency": "EUR"}
    assert refusal.facts["quote"]["lines"][0]["unitPrice"] == {"amount": 1000, "currency": "EUR"}
