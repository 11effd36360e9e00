"""The whims of the sample shop's customers."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from random import Random

from infra.demo.fates import DECK, FATES, dealt
from infra.gateway.methods import METHODS


def fates(seed, count):
    return list(islice(dealt(Random(seed)), count))


def test_a_deck_has_every_fate_as_often_as_it_weighs():
    assert Counter(fates(7, DECK)) == Counter({fate: fate.weight for fate in FATES})
    assert Counter(fates(7, 3 * DECK)) == Counter({fate: 3 * fate.weight for fate in FATES})


def test_the_same_seed_deals_the_same_fates_and_another_others():
    assert fates(7, 2 * DECK) == fates(7, 2 * DECK)
    assert fates(7, DECK) != fates(8, DECK)


def test_every_token_is_known_to_the_sandbox():
    assert {token for fate in FATES for token in fate.tokens} <= METHODS.keys()
