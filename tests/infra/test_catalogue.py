"""What quotes are told about variants."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from domain.aggregate import States
from domain.event import Event
from domain.products import CONTEXT
from domain.products.events import PriceChanged, ProductActivated, VariantRemoved
from domain.products.stock import open_stock
from infra.catalogue import LogCatalogue
from tests.domain.products.histories import LARGE, MUG, SHIRT, SMALL, drafted, eur, large, small
from tests.specification import AT, Make, a


class Log:
    """States as a write loop gives them, and how often it was asked."""

    def __init__(self, *shirt: Make) -> None:
        self.states: dict[UUID, Any] = {}
        self.looks: list[set[UUID]] = []
        self.happen(*(make(SHIRT, version) for version, make in enumerate((drafted, small, large, *shirt), 1)))
        self.happen(open_stock(SMALL, SHIRT, at=AT), open_stock(LARGE, SHIRT, at=AT))

    def head(self) -> int:
        return sum(state.version for state in self.states.values())

    def happen(self, *events: Event) -> None:
        for event in events:
            self.states[event.originator_id] = CONTEXT.evolve(self.states.get(event.originator_id), event)

    async def look(self, ids: Iterable[UUID]) -> States:
        self.looks.append(set(ids))
        await asyncio.sleep(0)
        return States(self.states.get)


def catalogue_of(log: Log) -> LogCatalogue:
    return LogCatalogue(log.look, log.head)


async def test_a_variant_is_offered_with_its_name_and_price():
    offers = await catalogue_of(Log(a(ProductActivated))).offers([SMALL])
    assert [(o.product_id, o.sku, o.name, o.price, o.sold) for o in offers.values()] == [
        (SHIRT, "SHIRT-S", "T-shirt (S)", eur(1000), True)
    ]


async def test_the_price_is_the_present_one():
    log = Log(a(ProductActivated))
    catalogue = LogCatalogue(log.look, log.head)
    await catalogue.offers([SMALL])
    log.happen(a(PriceChanged, variant_id=SMALL, old=eur(1000), new=eur(900))(SHIRT, 5))
    assert (await catalogue.offers([SMALL]))[SMALL].price == eur(900)


async def test_a_draft_is_not_sold():
    assert not (await catalogue_of(Log()).offers([SMALL]))[SMALL].sold


async def test_what_is_unknown_or_removed_is_left_out():
    catalogue = catalogue_of(Log(a(VariantRemoved, variant_id=SMALL)))
    assert list(await catalogue.offers([SMALL, LARGE, MUG])) == [LARGE]


async def test_those_who_ask_at_once_are_answered_by_one_load():
    log = Log()
    catalogue = LogCatalogue(log.look, log.head)
    asked = [[SMALL], [LARGE], [SMALL, LARGE], [MUG]] * 8
    answers = await asyncio.gather(*(catalogue.offers(ids) for ids in asked))
    assert [set(answer) for answer in answers] == [set(ids) - {MUG} for ids in asked]
    assert log.looks == [{SMALL, LARGE, MUG}, {SHIRT}]


async def test_one_who_gives_up_leaves_the_others_their_answer():
    catalogue = catalogue_of(Log())
    one, other = (asyncio.create_task(catalogue.offers([SMALL])) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    assert SMALL in await other


async def test_the_log_is_not_asked_again_while_nothing_is_written():
    log = Log(a(ProductActivated))
    catalogue = LogCatalogue(log.look, log.head)
    first = await catalogue.offers([SMALL])
    asked = len(log.looks)
    assert await catalogue.offers([SMALL]) == first
    assert len(log.looks) == asked
