"""SKUs: one variant at a time."""

from __future__ import annotations

from domain import claim
from domain.ids import ClaimId
from domain.products.errors import SkuTakenAlready
from domain.products.events import SkuFreed, SkuTaken
from domain.products.sku import free, normalised, take
from tests.domain.products.histories import LARGE, SMALL, named
from tests.specification import Specification, a

CLAIM = ClaimId(named("claim"))
given = Specification(CLAIM, claim.evolve).given
taken = a(SkuTaken, holder=SMALL)


def test_a_free_sku_is_taken():
    given().when(take, CLAIM, "TEA", LARGE).then(a(SkuTaken, holder=LARGE))


def test_a_taken_one_is_refused():
    given(taken).when(take, CLAIM, "TEA", LARGE).refused(SkuTakenAlready, sku="TEA")


def test_it_can_be_taken_again_once_it_is_free():
    given(taken, a(SkuFreed)).when(take, CLAIM, "TEA", LARGE).then(a(SkuTaken, holder=LARGE))


def test_a_variant_lets_it_go():
    given(taken).when(free).then(SkuFreed)


def test_upper_and_lower_case_are_the_same():
    assert normalised("tea-1") == normalised("TEA-1")
