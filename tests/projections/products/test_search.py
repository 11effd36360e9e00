"""Searching products in the read database finds what searching them one by one finds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg_pool import AsyncConnectionPool

from domain.products.product import ProductStatus
from projections.consumer import Consumer
from projections.listing import Page
from projections.models import MODELS
from projections.pool import Pool
from projections.products import queries
from projections.products import search as searches
from projections.products.projector import PRODUCTS
from projections.products.queries import Facets, Hit, facets, find, subtree
from projections.products.search import Prices, Search, Sort
from projections.schema import prepare
from projections.sink import ModelSink
from tests.full import randomness
from tests.projections.fakes import FakeFeed
from tests.projections.products import naive
from tests.projections.products.naive import COLOURS, CURRENCIES, REMOVED, TERMS, TREE, Thing, category_id
from tests.specification import AT

T = TypeVar("T")

SHOP = naive.things(400, randomness())
EVERYTHING = Search(statuses=tuple(ProductStatus))

searching = st.builds(
    Search,
    text=st.lists(st.sampled_from(TERMS), max_size=2).map(" ".join),
    category=st.none() | st.sampled_from([*TREE, REMOVED, "nothing"]).map(category_id),
    prices=st.none()
    | st.builds(Prices, st.sampled_from(CURRENCIES), st.sampled_from([0, 100, 2000]), st.sampled_from([None, 250])),
    in_stock=st.sampled_from([None, True, False]),
    attributes=st.dictionaries(
        st.sampled_from(["colour", "色"]), st.lists(st.sampled_from(COLOURS), min_size=1, max_size=2), max_size=1
    ),
    statuses=st.sampled_from([(ProductStatus.ACTIVE,), (ProductStatus.DRAFT, ProductStatus.ACTIVE), [*ProductStatus]]),
)
asked_often = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)

Ask = Callable[[Callable[[Pool], Awaitable[Any]]], Any]


async def fill(database: str) -> None:
    await prepare(database, MODELS)
    async with pool_of(database) as pool:
        feed = FakeFeed("products", [*naive.tree_events(), *(event for thing in SHOP for event in thing.events())])
        consumer = Consumer(ModelSink(PRODUCTS), feed, pool)
        checkpoint = await consumer.open()
        while (after := await consumer.step(checkpoint)) is not checkpoint:
            checkpoint = after


def pool_of(database: str) -> Pool:
    return AsyncConnectionPool(database, min_size=1, max_size=2, open=False)


@pytest.fixture(scope="module")
def ask(module_database: str) -> Iterator[Ask]:
    """Runs a question against the shop."""
    with asyncio.Runner() as runner:
        runner.run(fill(module_database))
        pool = pool_of(module_database)
        runner.run(pool.open())

        async def answered(question: Callable[[Pool], Awaitable[T]]) -> T:
            return await question(pool)

        yield lambda question: runner.run(answered(question))
        runner.run(pool.close())


def walked(ask: Ask, search: Search, sort: Sort, size: int, *, backward: bool) -> list[Hit]:
    """Every page in turn, from one end to the other, in the order asked for."""
    seen: list[Hit] = []
    page = Page(size, backward)
    while True:
        found = ask(partial(find, search=search, sort=sort, page=page))
        hits = list(found.hits)
        seen = [*hits, *seen] if backward else [*seen, *hits]
        if not found.more:
            return seen
        page = Page(size, backward, before=hits[0].mark) if backward else Page(size, after=hits[-1].mark)


def ids(hits: list[Hit]) -> list[UUID]:
    return [hit.product.id for hit in hits]


@asked_often
@given(searching, st.sampled_from([*naive.KEYS]), st.sampled_from([7, 50, 100]), st.booleans())
def test_pages_hold_everything_that_matches_once_and_in_order(
    ask: Ask, search: Search, sort: Sort, size: int, backward: bool
) -> None:
    found = walked(ask, search, sort, size, backward=backward)
    assert ids(found) == naive.in_order(naive.expected(SHOP, search), sort)


@asked_often
@given(searching, st.sampled_from([7, 50, 100]), st.booleans())
def test_by_relevance_too(ask: Ask, search: Search, size: int, backward: bool) -> None:
    found = walked(ask, search, Sort.RELEVANCE, size, backward=backward)
    assert sorted(ids(found)) == sorted(thing.id for thing in naive.expected(SHOP, search))
    places = [(hit.mark.value, hit.mark.id) for hit in found]
    assert places == sorted(places, reverse=True)


@asked_often
@given(searching)
def test_facets_count_what_matches(ask: Ask, search: Search) -> None:
    found: Facets = ask(lambda pool: facets(pool, search))
    expected = naive.expected(SHOP, search)
    assert (found.total, found.capped) == (len(expected), False)
    assert found.in_stock == sum(thing.in_stock for thing in expected)
    assert found.categories == naive.by_category(expected)
    assert found.attributes == naive.by_attribute(expected)
    assert Counter({(p.currency, p.gte, p.below): p.count for p in found.prices}) == naive.by_price(expected)


hostile = st.text(max_size=60) | st.text(alphabet="a茶'\\:*&|!()<->\"%$\x00;,\u0301 ", max_size=60)


@asked_often
@given(hostile, hostile, hostile)
def test_whatever_is_typed_is_only_looked_for(ask: Ask, text: str, name: str, currency: str) -> None:
    for search in (
        Search(text),
        Search(attributes={name: [text, currency]}),
        Search(prices=Prices(currency, -(10**30), 10**30)),
    ):
        ask(partial(find, search=search, sort=Sort.RELEVANCE, page=Page(10)))
        ask(partial(facets, search=search))


@pytest.mark.parametrize(
    "text", ["tea " * 50_000, "茶" * 100_000, "x" * 1_000_000, "tea\x00", "'; DROP TABLE users; --"]
)
def test_very_much_is_no_harm_either(ask: Ask, text: str) -> None:
    ask(lambda pool: find(pool, Search(text), Sort.RELEVANCE, Page(10)))


def test_blanks_are_no_text_but_signs_find_nothing(ask: Ask) -> None:
    everything = ask(lambda pool: facets(pool, EVERYTHING)).total
    assert everything == len(SHOP)
    blank = Search(" \t\u3000", statuses=EVERYTHING.statuses)
    assert ask(lambda pool: facets(pool, blank)).total == everything
    assert ask(lambda pool: facets(pool, Search("?!"))).total == 0


def test_an_attribute_without_a_value_to_have_finds_nothing(ask: Ask) -> None:
    assert ask(lambda pool: facets(pool, Search(attributes={"colour": []}))).total == 0


def test_counting_stops_at_the_cap(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "MOST", 20)
    monkeypatch.setattr(queries, "MOST", 20)
    found: Facets = ask(lambda pool: facets(pool, EVERYTHING))
    assert (found.total, found.capped) == (20, True)
    assert sum(range.count for range in found.prices) == 21


def test_a_subtree_is_a_category_and_all_below_it(ask: Ask) -> None:
    found = ask(lambda pool: subtree(pool, category_id("shop")))
    assert set(found) == {category_id(name) for name in ("shop", "kitchen", "pots", "desk", "paper")}
    assert ask(lambda pool: subtree(pool, uuid4())) == []


# -- relevance


@pytest.fixture
async def tea(pool: Pool) -> Callable[[str], Awaitable[list[int]]]:
    """Where `tea` stands in five products; asked for by its text, they are given by number."""

    def sold(number: int, **said: Any) -> Thing:
        plain: dict[str, Any] = {"name": "Something", "description": "", "category": None, "attributes": {}}
        rest = {"skus": (f"X{number}",), "prices": (1,), "currency": "EUR", "available": (1,)}
        return Thing(number, **(plain | rest | said), status=ProductStatus.ACTIVE, created_at=AT)

    shop = [
        sold(1, description="Goes well with tea."),
        sold(2, attributes={"for": "tea"}),
        sold(3, name="Teapot"),
        sold(4, name="Tea"),
        sold(5, name="Tea in a tin of a hundred grams"),
    ]
    feed = FakeFeed("products", [event for thing in shop for event in thing.events()])
    consumer = Consumer(ModelSink(PRODUCTS), feed, pool)
    await consumer.step(await consumer.open())
    numbers = {thing.id: thing.number for thing in shop}

    async def asked(text: str) -> list[int]:
        found = await find(pool, Search(text), Sort.RELEVANCE, Page(10))
        return [numbers[hit.product.id] for hit in found.hits]

    return asked


async def test_a_name_is_more_than_an_attribute_and_that_more_than_a_description(tea: Any) -> None:
    found = await tea("tea")
    assert found.index(4) < found.index(2) < found.index(1)


async def test_a_whole_word_is_more_than_the_beginning_of_one(tea: Any) -> None:
    found = await tea("tea")
    assert found.index(4) < found.index(3)


async def test_a_short_name_is_more_to_the_point_than_a_long_one(tea: Any) -> None:
    found = await tea("tea")
    assert found[:2] == [4, 5]
