"""Products: what they are made of, what they cost, and when they may change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import AlreadyExists, DomainError, NotAllowedNow
from domain.money import CurrencyMismatch, Money
from domain.products.errors import LastVariant, SkuTakenAlready, UnknownVariant, VariantMismatch
from domain.products.events import (
    ImagesArranged,
    PriceChanged,
    ProductActivated,
    ProductDiscontinued,
    ProductDrafted,
    ProductEdited,
    VariantAdded,
    VariantRemoved,
)
from domain.products.product import (
    activate,
    add_variant,
    arrange_images,
    change_price,
    discontinue,
    draft,
    edit,
    remove_variant,
)
from domain.products.value import MAX_VARIANTS, Image
from tests.domain.products.histories import (
    DETAILS,
    LARGE,
    MUG,
    SHIRT,
    SHIRTS,
    SMALL,
    drafted,
    eur,
    large,
    named,
    small,
    variant,
)
from tests.specification import AT, When, a

given = SHIRTS.given
activated, discontinued = a(ProductActivated), a(ProductDiscontinued)


def drafting(*variants: Any, options: tuple[str, ...] = ("size",)) -> When:
    return When(lambda: draft(SHIRT, DETAILS, (), options, variants, at=AT))


def test_a_product_is_drafted_with_its_variants():
    drafting(variant(SMALL, "S"), variant(LARGE, "L")).then(drafted, small, large)


def test_without_options_it_has_one_variant():
    drafting(variant(SMALL), options=()).then(ProductDrafted, VariantAdded)
    drafting(variant(SMALL), variant(LARGE), options=()).refused(VariantMismatch)


def test_it_has_at_least_one_variant():
    drafting().refused(VariantMismatch)


def test_an_option_is_named_once():
    drafting(variant(SMALL, "S"), options=("size", "size")).refused(VariantMismatch)


def test_a_variant_says_a_value_for_every_option_and_nothing_else():
    drafting(variant(SMALL)).refused(VariantMismatch, options=["size"])
    drafting(variant(SMALL, values={"size": "S", "colour": "red"})).refused(VariantMismatch)


def test_two_variants_differ():
    drafting(variant(SMALL, "S"), variant(LARGE, "S")).refused(VariantMismatch)
    drafting(variant(SMALL, "S"), variant(SMALL, "L")).refused(AlreadyExists)


def test_two_variants_of_a_product_have_two_skus():
    same = variant(SMALL, "S").claim_id
    drafting(variant(SMALL, "S"), variant(LARGE, "L", claim_id=same)).refused(SkuTakenAlready)


def test_all_variants_have_one_currency():
    yen = Money(amount=1, currency="JPY")
    drafting(variant(SMALL, "S"), replace(variant(LARGE, "L"), price=yen)).refused(CurrencyMismatch)
    given(drafted, small).when(change_price, SMALL, yen).refused(CurrencyMismatch)


def test_there_is_an_end_to_variants():
    many = [variant(named(f"v{n}"), f"{n}") for n in range(MAX_VARIANTS + 1)]  # type: ignore[arg-type]
    drafting(*many).refused(VariantMismatch, maximum=MAX_VARIANTS)


def test_a_price_change_says_both_prices():
    given(drafted, small).when(change_price, SMALL, eur(900)).then(
        a(PriceChanged, variant_id=SMALL, old=eur(1000), new=eur(900))
    )


def test_the_same_price_changes_nothing():
    given(drafted, small).when(change_price, SMALL, eur(1000)).then()


def test_only_its_own_variants_have_a_price_here():
    given(drafted, small).when(change_price, MUG, eur(1)).refused(UnknownVariant)


def test_an_edit_says_everything_anew():
    new = replace(DETAILS, name="Shirt")
    given(drafted, small).when(edit, new).then(
        a(ProductEdited, name="Shirt", description="Soft.", category_id=None, attributes={"material": "cotton"})
    )


def test_an_edit_that_says_the_same_changes_nothing():
    given(drafted, small).when(edit, DETAILS).then()


def test_images_are_arranged():
    images = (Image(url="https://example.org/a.png", alt="front"),)
    given(drafted, small).when(arrange_images, images).then(a(ImagesArranged, images=images))
    given(drafted, small, a(ImagesArranged, images=images)).when(arrange_images, images).then()


def test_a_variant_is_removed():
    given(drafted, small, large).when(remove_variant, SMALL).then(a(VariantRemoved, variant_id=SMALL))


def test_the_last_variant_stays():
    given(drafted, small).when(remove_variant, SMALL).refused(LastVariant)


def test_a_variant_is_called_by_its_values():
    state = given(drafted, small).state
    assert state.title_of(state.variants[0]) == "T-shirt (S)"


DRAFT = (drafted, small, large)
ACTIVE = (*DRAFT, activated)
DISCONTINUED = (*ACTIVE, discontinued)
CHANGES: dict[str, tuple[Any, ...]] = {
    "edit": (edit, replace(DETAILS, name="Shirt")),
    "images": (arrange_images, (Image(url="https://example.org/a.png"),)),
    "add": (add_variant, variant(MUG, "XL")),
    "remove": (remove_variant, SMALL),
    "price": (change_price, SMALL, eur(1)),
}
LIFECYCLE: list[tuple[tuple[Any, ...], tuple[Any, ...], Any]] = [
    (DRAFT, (activate,), ProductActivated),
    (DRAFT, (discontinue,), NotAllowedNow),
    (ACTIVE, (activate,), None),
    (ACTIVE, (discontinue,), ProductDiscontinued),
    (DISCONTINUED, (activate,), ProductActivated),
    (DISCONTINUED, (discontinue,), None),
    *[(DRAFT, change, "changed") for change in CHANGES.values()],
    *[(ACTIVE, change, "changed") for change in CHANGES.values()],
    *[(DISCONTINUED, change, NotAllowedNow) for change in CHANGES.values()],
]


@pytest.mark.parametrize("history, decision, outcome", LIFECYCLE)
def test_every_status_allows_what_it_should_and_refuses_the_rest(history: Any, decision: Any, outcome: Any):
    when = given(*history).when(*decision)
    if outcome is None:
        when.then()
    elif outcome == "changed":
        assert when.decide() is not None
    elif issubclass(outcome, DomainError):
        when.refused(outcome)
    else:
        when.then(outcome)
