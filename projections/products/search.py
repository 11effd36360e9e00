"""What can be asked of products, and the statements that ask it: by words, narrowed down, sorted, counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from domain.products.product import ProductStatus
from projections import words
from projections.listing import Ordering, Page, Statement, past

MOST: Final = 5_000
"""Products that are counted, or weighed for relevance, at most: of more than these, the newest."""

PRICES: Final = [step * 10**power for power in range(2, 8) for step in (1, 2, 5)]
"""Where one range of prices ends and the next begins, in minor units."""


class Sort(Enum):
    """By a column of `product_search`, or the score of its words; where that is equal by id."""

    RELEVANCE = Ordering("score", descending=True)
    NEWEST = Ordering("created_at", descending=True)
    PRICE_ASC = Ordering("min_price")
    PRICE_DESC = Ordering("min_price", descending=True)
    NAME_ASC = Ordering("name_key")
    NAME_DESC = Ordering("name_key", descending=True)


@dataclass(frozen=True, slots=True)
class Prices:
    """A product's least price is in this currency and within these, both included."""

    currency: str
    gte: int = 0
    lte: int | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; all of it must hold.

    `text`: every word of it, or a longer one that begins with it, is in the product's name, SKUs, attributes or
    description. `category`: the product is in it or below it. `attributes`: for each name one of the values.
    `in_stock`: some variant of it can be had, or, False, none can.
    """

    text: str = ""
    category: UUID | None = None
    prices: Prices | None = None
    in_stock: bool | None = None
    attributes: Mapping[str, Collection[str]] = field(default_factory=dict)
    statuses: Collection[ProductStatus] = (ProductStatus.ACTIVE,)

    @property
    def words(self) -> str | None:
        """As a tsquery; None without words."""
        return words.query(self.text)


Within = Sequence[UUID] | None
"""The categories a search goes through; None: wherever."""

# A removed variant's stock is empty. EXISTS would let PostgreSQL read the stock of everything first.
IN_STOCK: Final = sql.SQL(
    "coalesce((SELECT true FROM reads.stock s WHERE s.product_id = t.id AND s.available > 0 LIMIT 1), false)"
)

# By where the words stand: in the description, an attribute, a SKU, the name. A long text dilutes them, and a whole
# word is worth much more than the beginning of one.
SCORE: Final = sql.SQL("""(1000000 * (
    ts_rank('{{0.1, 0.3, 0.6, 1}}', t.said || t.sold, {begun}::tsquery, 1)
    + 3 * ts_rank('{{0.1, 0.3, 0.6, 1}}', t.said || t.sold, {whole}::tsquery, 1)
))::int AS score""")

PAGE: Final = sql.SQL("""
SELECT t.{by}, to_json(p)::text
FROM (
    SELECT t.id, t.{by} FROM {source} WHERE {conditions} ORDER BY t.{by} {way}, t.id {way} LIMIT %s
) t
JOIN reads.products p ON p.id = t.id
ORDER BY t.{by} {way}, t.id {way}
""")

# OFFSET 0 keeps PostgreSQL from looking for a rare word by going through everything in the order asked for.
WITH_WORDS: Final = sql.SQL("""
    (SELECT t.id, t.{by} FROM reads.product_search t WHERE {conditions} OFFSET 0) t
""")

NEWEST: Final = sql.SQL("""
SELECT {columns} FROM reads.product_search t WHERE {conditions} ORDER BY t.created_at DESC, t.id DESC LIMIT %s
""")

# A category counts what is below it too.
FACETS: Final = sql.SQL("""
WITH RECURSIVE matching AS MATERIALIZED ({matching}),
counted AS (SELECT category_id AS id, count(*) AS n FROM matching GROUP BY category_id),
upwards AS (
    SELECT c.id, c.parent_id, counted.n FROM counted JOIN reads.categories c USING (id) WHERE NOT c.removed
    UNION ALL
    SELECT c.id, c.parent_id, upwards.n FROM upwards JOIN reads.categories c ON c.id = upwards.parent_id
),
categories AS (SELECT id, sum(n)::bigint AS n FROM upwards GROUP BY id),
valued AS (
    SELECT key, value, count(*) AS n, row_number() OVER (PARTITION BY key ORDER BY count(*) DESC, value) AS place
    FROM matching, jsonb_each_text(attributes)
    GROUP BY key, value
),
priced AS (
    SELECT currency, width_bucket(min_price, %s::bigint[]) AS number, count(*) AS n
    FROM matching
    WHERE currency IS NOT NULL
    GROUP BY 1, 2
)
SELECT
    (SELECT count(*) FROM matching),
    (SELECT count(*) FROM matching WHERE in_stock),
    (SELECT coalesce(json_agg(json_build_array(id, n) ORDER BY n DESC, id), '[]') FROM categories),
    (SELECT coalesce(json_agg(json_build_array(key, value, n) ORDER BY key, place), '[]')
       FROM valued WHERE place <= %s),
    (SELECT coalesce(json_agg(json_build_array(currency, number, n) ORDER BY currency, number), '[]') FROM priced)
""")


def finding(search: Search, within: Within, sort: Sort, page: Page) -> Statement:
    """A page of products with what they are sorted by, and one more to see if there are more."""
    ordering = ordering_of(search, sort)
    ascending = ordering.descending is page.backward
    source, conditions = source_of(search, within, ordering)
    if page.after:
        conditions.append(past(ordering.column, page.after, ascending=not ordering.descending))
    if page.before:
        conditions.append(past(ordering.column, page.before, ascending=ordering.descending))
    query = PAGE.format(
        by=sql.Identifier(ordering.column),
        way=sql.SQL("ASC" if ascending else "DESC"),
        source=source.query,
        conditions=all_of(conditions),
    )
    return Statement(query, [*source.values, *values_of(conditions), page.size + 1])


def counting(search: Search, within: Within) -> Statement:
    """How what is found is made up, of MOST + 1 at most."""
    what = sql.SQL("t.category_id, t.attributes, t.currency, t.min_price, {} AS in_stock").format(IN_STOCK)
    matching = newest(what, list(conditions_of(search, within)), MOST + 1)
    return Statement(FACETS.format(matching=matching.query), [*matching.values, PRICES, MOST_VALUES])


MOST_VALUES: Final = 20
"""Values of one attribute that are counted: the most frequent."""


def ordering_of(search: Search, sort: Sort) -> Ordering:
    """Without words nothing is more relevant than anything else: then the newest come first."""
    weighed = sort is Sort.RELEVANCE and search.words
    ordering: Ordering = Sort.NEWEST.value if sort is Sort.RELEVANCE and not weighed else sort.value
    return ordering


def source_of(search: Search, within: Within, ordering: Ordering) -> tuple[Statement, list[Statement]]:
    """Where the rows come from, and what is still to be said of them. No more than MOST are weighed."""
    conditions = list(conditions_of(search, within))
    if not search.words:
        return statement("reads.product_search t"), conditions
    if ordering != Sort.RELEVANCE.value:
        by = sql.Identifier(ordering.column)
        matching = WITH_WORDS.format(by=by, conditions=all_of(conditions))
        return Statement(matching, list(values_of(conditions))), []
    score = SCORE.format(begun=sql.Literal(search.words), whole=sql.Literal(words.whole(search.text)))
    weighed = newest(sql.SQL("t.id, {}").format(score), conditions, MOST)
    return Statement(sql.SQL("({}) t").format(weighed.query), weighed.values), []


def newest(columns: sql.Composable, conditions: Sequence[Statement], most: int) -> Statement:
    query = NEWEST.format(columns=columns, conditions=all_of(conditions))
    return Statement(query, [*values_of(conditions), most])


def conditions_of(search: Search, within: Within) -> Iterator[Statement]:
    if search.text.strip():
        yield statement("(t.said || t.sold) @@ %s::tsquery", search.words) if search.words else NOTHING
    if set(search.statuses) != set(ProductStatus):
        yield of_status(list(search.statuses))
    if within is not None:
        yield statement("t.category_id = ANY(%s)", list(within))
    if search.prices:
        yield from priced(search.prices)
    for name, values in search.attributes.items():
        yield with_attribute(name, values)
    if search.in_stock is not None:
        yield Statement(sql.SQL("{} = %s").format(IN_STOCK), [search.in_stock])


def of_status(statuses: list[ProductStatus]) -> Statement:
    """Of one status the rows come sorted from an index, of several they do not."""
    return statement("t.status = %s", *statuses) if len(statuses) == 1 else statement("t.status = ANY(%s)", statuses)


def priced(prices: Prices) -> Iterator[Statement]:
    yield statement("t.currency = %s", prices.currency) if storable(prices.currency) else NOTHING
    yield statement("t.min_price >= %s", prices.gte)
    if prices.lte is not None:
        yield statement("t.min_price <= %s", prices.lte)


def with_attribute(name: str, values: Collection[str]) -> Statement:
    """One comparison for each value: an index serves these, but no comparison with an array of them."""
    wanted = [Jsonb({name: value}) for value in values if storable(name + value)]
    return statement(f"({' OR '.join(['t.attributes @> %s'] * len(wanted))})", *wanted) if wanted else NOTHING


def storable(text: str) -> bool:
    """What PostgreSQL does not take, no product has: NUL and halves of characters."""
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)


def statement(query: str, *values: Any) -> Statement:
    return Statement(sql.Composed([sql.SQL(query)]), values)


NOTHING: Final = statement("false")


def all_of(conditions: Sequence[Statement]) -> sql.Composable:
    return sql.SQL(" AND ").join(c.query for c in conditions) if conditions else sql.SQL("true")


def values_of(conditions: Sequence[Statement]) -> Iterator[Any]:
    return (value for condition in conditions for value in condition.values)
