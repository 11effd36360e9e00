"""What the sample shop sells, and to whom. Ids follow from the names, so that the shop is set up once only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from domain.ids import derive

CURRENCY: Final = "EUR"
PASSWORD: Final = "paper and ink"  # noqa: S105 - of the sample customers, so that anybody can look around as one

SHELVES: Final[dict[str, dict[str, list[tuple[str, int]]]]] = {
    "Desk": {
        "Notebooks": [
            ("Account book, 200 pages", 1890), ("Pocket notebook", 690), ("Squared notebook A5", 980),
            ("Diary", 2450), ("Sketchbook", 1590),
        ],
        "Pens": [
            ("Fountain pen", 4900), ("Brush pen", 890), ("Ballpoint pen", 350), ("Pencil, set of 6", 720),
            ("Ink, 50 ml", 1450),
        ],
        "Paper": [
            ("Letter paper, 50 sheets", 1250), ("Envelopes, 25", 790), ("Origami paper", 640),
            ("Calligraphy paper", 1680), ("Postcards, 10", 950),
        ],
        "Tools": [
            ("Abacus", 5900), ("Paper knife", 1890), ("Brass ruler", 1290), ("Stapler", 2190), ("Seal paste", 1150),
        ],
    },
    "Kitchen": {
        "Tea": [
            ("Sencha, 100 g", 1490), ("Genmaicha, 100 g", 1190), ("Hojicha, 100 g", 1290), ("Matcha, 30 g", 2690),
            ("Barley tea, 200 g", 780),
        ],
        "Ceramics": [
            ("Tea bowl", 3900), ("Tea pot", 6900), ("Rice bowl", 1890), ("Sake cup", 1290), ("Plate, 21 cm", 2390),
        ],
        "Knives": [
            ("Paring knife", 4900), ("Chef's knife", 12900), ("Vegetable knife", 8900), ("Whetstone", 3900),
            ("Knife roll", 5400),
        ],
        "Cloth": [
            ("Tea towel", 1190), ("Apron", 3400), ("Wrapping cloth", 1590), ("Table runner", 4200),
            ("Napkins, 4", 2800),
        ],
    },
}  # fmt: skip
"""Category -> category below it -> (product, price in minor units)."""

SIZES: Final = {"Apron": ("S", "M", "L"), "Diary": ("A6", "A5"), "Tea pot": ("0.3 l", "0.6 l")}
"""Products that come in sizes; all at one price."""

RARE: Final = "Abacus"
"""There are few of it, and no more will come."""

PEOPLE: Final = (
    "Aiko Mori", "Ben Carter", "Chiara Conti", "David Okafor", "Elin Berg", "Farid Haddad", "Greta Vogel",
    "Hana Sato", "Ivo Novak", "Jana Keller", "Kenji Abe", "Lucie Martin", "Mateo Cruz", "Nora Quinn", "Oskar Lind",
    "Priya Rao", "Quentin Roy", "Rosa Silva", "Sven Dahl", "Tomoko Ueda",
)  # fmt: skip

PLACES: Final = (
    ("Lindenweg 4", "10115", "Berlin", "DE"), ("Rue des Lilas 12", "75011", "Paris", "FR"),
    ("Via Verdi 8", "20121", "Milano", "IT"), ("Storgatan 21", "11122", "Stockholm", "SE"),
    ("Hauptplatz 1", "4020", "Linz", "AT"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Category:
    name: str
    parent: str | None = None

    @property
    def id(self) -> UUID:
        return derive("demo/category", self.name)


@dataclass(frozen=True, slots=True)
class Product:
    name: str
    category: str
    price: int
    sizes: tuple[str, ...] = field(default=())

    @property
    def id(self) -> UUID:
        return derive("demo/product", self.name)

    @property
    def variants(self) -> list[dict[str, Any]]:
        """As `POST /v1/products` takes them."""
        return [
            {
                "id": str(derive("demo/variant", sku)),
                "sku": sku,
                "values": {"size": size} if size else {},
                "price": {"amount": self.price, "currency": CURRENCY},
            }
            for size in (self.sizes or ("",))
            for sku in [sku_of(self.name, size)]
        ]


@dataclass(frozen=True, slots=True)
class Customer:
    number: int
    name: str

    @property
    def id(self) -> UUID:
        return derive("demo/customer", self.name)

    @property
    def email(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@customers.example"

    @property
    def address(self) -> dict[str, str]:
        line, postal_code, city, country = PLACES[self.number % len(PLACES)]
        return {"name": self.name, "line1": line, "postalCode": postal_code, "city": city, "country": country}


def sku_of(name: str, size: str) -> str:
    words = "".join(c if c.isalnum() else " " for c in f"{name} {size}".upper()).split()
    return "-".join(words)


def categories() -> Iterator[Category]:
    for top, shelf in SHELVES.items():
        yield Category(top)
        yield from (Category(name, top) for name in shelf)


def products() -> Iterator[Product]:
    for shelf in SHELVES.values():
        for category, goods in shelf.items():
            yield from (Product(name, category, price, SIZES.get(name, ())) for name, price in goods)


def customers() -> list[Customer]:
    return [Customer(number, name) for number, name in enumerate(PEOPLE)]
