"""A shop of random products, and searching it the slow way."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from random import Random
from typing import Any, Final
from uuid import UUID

from domain.event import Event
from domain.ids import CategoryId, ClaimId, ProductId, VariantId, derive
from domain.money import Money
from domain.products import categories, product, stock
from domain.products.events import CategoryEvent
from domain.products.product import Details, ProductStatus, Variant
from projections.products.search import PRICES, Search, Sort
from tests.specification import AT

ENGLISH: Final = ("tea", "teapot", "green", "cup", "account", "book", "bookbinder's", "O'Neill", "brass", "A5", "crème")
GERMAN: Final = ("Käse", "Käsehobel", "Straße", "Größe", "grün", "Öl", "Teekanne", "Bücher", "Buch", "Weiß")
JAPANESE: Final = ("茶", "茶碗", "抹茶", "東京都", "京都", "ノート", "ノートブック", "ガラス", "がらす", "帳簿", "の")
WORDS: Final = (*ENGLISH, *GERMAN, *JAPANESE)
BEGINNINGS: Final = ("te", "g", "kaese", "kase", "strasse", "groe", "buec", "碗", "京", "のーと", "ー", "creme", "12")
TERMS: Final = (*WORDS, *BEGINNINGS, "former")
COLOURS: Final = ("red", "grün", "青")
CURRENCIES: Final = ("EUR", "EUR", "JPY")
MOST_WORDS: Final = 6

TREE: Final[dict[str, str | None]] = {
    "shop": None,
    "kitchen": "shop",
    "pots": "kitchen",
    "desk": "shop",
    "paper": "desk",
    "garden": None,
}
REMOVED: Final = "attic"


def category_id(name: str) -> CategoryId:
    return CategoryId(derive("test category", name))


@dataclass(frozen=True)
class Thing:
    """A product as one would write it down. `edited`: it was another one before."""

    number: int
    name: str
    description: str
    category: str | None
    attributes: dict[str, str]
    skus: tuple[str, ...]
    prices: tuple[int, ...]
    currency: str
    available: tuple[int, ...]
    status: ProductStatus
    created_at: datetime
    edited: bool = False

    @property
    def id(self) -> UUID:
        return derive("test product", str(self.number))

    @property
    def texts(self) -> Iterator[str]:
        yield from (self.name, self.description, *self.skus, *self.attributes, *self.attributes.values())
        yield from (size(number) for number in range(len(self.skus)) if self.options)

    @property
    def options(self) -> tuple[str, ...]:
        return ("size",) if self.edited or len(self.skus) > 1 else ()

    @property
    def in_stock(self) -> bool:
        return any(self.available)

    def variant_id(self, number: int) -> VariantId:
        return VariantId(derive("test variant", f"{self.number}/{number}"))

    def events(self) -> Iterator[Event]:
        history = self.begun_as_another() if self.edited else self.drafted(self.details, self.variants())
        if self.status is not ProductStatus.DRAFT:
            history.append(product.activate(product_after(history), at=self.created_at))
        if self.status is ProductStatus.DISCONTINUED:
            history.append(product.discontinue(product_after(history), at=self.created_at))
        yield from history
        for number, available in enumerate(self.available):
            yield from self.stocked(number, available)

    @property
    def details(self) -> Details:
        category = category_id(self.category) if self.category else None
        return Details(self.name, self.description, category, self.attributes)

    def drafted(self, details: Details, variants: Iterable[Variant]) -> list[Any]:
        return [*product.draft(ProductId(self.id), details, (), self.options, list(variants), at=self.created_at)]

    def begun_as_another(self) -> list[Any]:
        former = Details("Former", "former", category_id("garden"), {"colour": "former"})
        dearer = [replace(variant, price=variant.price + variant.price) for variant in self.variants()]
        free = self.variant(99, f"FORMER-{self.number}", 0)
        history = self.drafted(former, [*dearer, free])
        history.append(product.edit(product_after(history), self.details, at=self.created_at))
        for variant in self.variants():
            state = product_after(history)
            history.append(product.change_price(state, variant.id, variant.price, at=self.created_at))
        history.append(product.remove_variant(product_after(history), free.id, at=self.created_at))
        return history

    def variants(self) -> Iterator[Variant]:
        for number, (sku, price) in enumerate(zip(self.skus, self.prices, strict=True)):
            yield self.variant(number, sku, price)

    def variant(self, number: int, sku: str, price: int) -> Variant:
        id, money = self.variant_id(number), Money(amount=price, currency=self.currency)
        values = {option: size(number) for option in self.options}
        return Variant(id, sku, ClaimId(derive("test claim", str(id))), values, money)

    def stocked(self, number: int, available: int) -> Iterator[Event]:
        opened = stock.open_stock(self.variant_id(number), ProductId(self.id), at=self.created_at)
        yield opened
        if available:
            yield from stock.receive(stock.evolve(None, opened), available, at=self.created_at)


def size(number: int) -> str:
    return str(number) * 3


def product_after(history: Sequence[Any]) -> product.Product:
    state: Any = None
    for event in history:
        state = product.evolve(state, event)
    assert isinstance(state, product.Product)
    return state


def tree_events() -> Iterator[Event]:
    """One category was elsewhere before, one is no more."""
    events: list[CategoryEvent] = []

    def happens(decide: Callable[..., CategoryEvent | None], name: str, *arguments: Any) -> None:
        tree = reduce(categories.evolve, events, categories.EMPTY)
        if event := decide(tree, category_id(name), *arguments, at=AT):
            events.append(event)

    happens(categories.create, "paper", "paper", None)
    for name in (REMOVED, *TREE):
        if name != "paper":
            parent = TREE.get(name)
            happens(categories.create, name, name, category_id(parent) if parent else None)
    happens(categories.move, "paper", category_id("desk"))
    happens(categories.remove, REMOVED)
    return iter(events)


def things(count: int, chance: Random) -> list[Thing]:
    return [thing(number, chance) for number in range(count)]


def thing(number: int, chance: Random) -> Thing:
    variants = chance.choice((1, 1, 2, 3))
    return Thing(
        number,
        name=phrase(chance, 3) or "x",
        description=phrase(chance, MOST_WORDS),
        category=chance.choice((None, REMOVED, *TREE)),
        attributes={name: chance.choice(COLOURS) for name in ("colour", "色") if chance.random() < 0.6},
        skus=tuple(f"AB-{number}-{n}" for n in range(variants)),
        prices=tuple(chance.choice((99, 100, 100, 250, 1999, 5000, 123_456_789_000)) for _ in range(variants)),
        currency=chance.choice(CURRENCIES),
        available=tuple(chance.choice((0, 0, 5)) for _ in range(variants)),
        status=chance.choice((ProductStatus.ACTIVE, ProductStatus.ACTIVE, *ProductStatus)),
        created_at=AT + timedelta(minutes=chance.randrange(50)),  # few, so that many are equally new
        edited=chance.random() < 0.3,
    )


def phrase(chance: Random, most: int) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.randint(1, most))]
    return "".join(word + chance.choice((" ", " ", "、", "-", "")) for word in words).strip(" 、-")


# -- searching


def expected(shop: Sequence[Thing], search: Search) -> list[Thing]:
    return [thing for thing in shop if matches(thing, search)]


def matches(thing: Thing, search: Search) -> bool:
    return (
        thing.status in search.statuses
        and all(any(has(text, term) for text in thing.texts) for term in re.split("[ ']", search.text) if term)
        and (search.category is None or search.category in path(thing.category))
        and (search.prices is None or within(thing, search))
        and search.in_stock in {None, thing.in_stock}
        and all(thing.attributes.get(name) in values for name, values in search.attributes.items())
    )


def within(thing: Thing, search: Search) -> bool:
    prices = search.prices
    assert prices is not None
    least = min(thing.prices)
    return thing.currency == prices.currency and prices.gte <= least and (prices.lte is None or least <= prices.lte)


def path(category: str | None) -> list[UUID]:
    return [] if category is None or category == REMOVED else [category_id(category), *path(TREE[category])]


def has(text: str, term: str) -> bool:
    """The slow way: look whether it stands there."""
    if is_japanese(term):
        return plain(term) in plain(text)
    wanted = plain(term)
    found = (word for spelt in (text, in_ascii(text)) for word in latin_words(spelt))
    return any(word.startswith(wanted) if len(wanted) > 1 else word == wanted for word in found)


def latin_words(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", plain(text)) if word]


def in_ascii(text: str) -> str:
    """As German writes it without umlauts."""
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(umlaut, letters).replace(umlaut.upper(), letters)
    return text


def plain(text: str) -> str:
    text = "".join(c if is_japanese(c) else unicodedata.normalize("NFD", c) for c in text.casefold())
    text = re.sub("[\u0300-\u036f]", "", text)
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in text)


def is_japanese(text: str) -> bool:
    return all(c > "\u3000" for c in text)


KEYS: Final[Mapping[Sort, Any]] = {
    Sort.NEWEST: lambda thing: thing.created_at,
    Sort.PRICE_ASC: lambda thing: min(thing.prices),
    Sort.PRICE_DESC: lambda thing: min(thing.prices),
    Sort.NAME_ASC: lambda thing: plain(thing.name).encode(),
    Sort.NAME_DESC: lambda thing: plain(thing.name).encode(),
}


def in_order(found: Sequence[Thing], sort: Sort) -> list[UUID]:
    key = KEYS[sort]
    ordered = sorted(found, key=lambda thing: (key(thing), thing.id), reverse=sort.value.descending)
    return [thing.id for thing in ordered]


def by_category(found: Sequence[Thing]) -> dict[UUID, int]:
    return dict(Counter(id for thing in found for id in path(thing.category)))


def by_attribute(found: Sequence[Thing]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for thing in found:
        for name, value in thing.attributes.items():
            counts.setdefault(name, Counter())[value] += 1
    return {name: dict(values) for name, values in counts.items()}


def by_price(found: Sequence[Thing]) -> Counter[tuple[str, int, int | None]]:
    counts: Counter[tuple[str, int, int | None]] = Counter()
    for thing in found:
        least = min(thing.prices)
        gte = max((bound for bound in (0, *PRICES) if bound <= least), default=0)
        below = min((bound for bound in PRICES if bound > least), default=None)
        counts[thing.currency, gte, below] += 1
    return counts
