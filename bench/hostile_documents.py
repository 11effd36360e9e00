"""Documents that are meant to hurt: by name the document, its variables, and code and reason of the refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

BY_IDS: Final = "query ($ids: [ID!]) { orders(first: 1, where: {customerId: {in: $ids}}) { nodes { id } } }"
SIZED: Final = "query ($n: Int!) { orders(first: $n) { nodes { %s } } }"
ONE: Final = "query ($id: ID!) { order(id: $id) { id } }"
NOBODY: Final = "00000000-0000-7000-8000-00000000000a"
SAGAS: Final = """
    query ($id: ID!) { order(id: $id) { ...A } }
    fragment A on Order { sagas { order { ...B } } } fragment B on Order { sagas { id } }
"""
TYPE: Final = 'a#: __type(name: "Order") { fields { args { type { fields { name } } } } }'
MONEY: Final = "payment { due { amount } paid { amount } captured { amount } refunded { amount } }"
FIELDS: Final = "id version status total { amount }"


def many(what: str, count: int) -> str:
    return " ".join(what.replace("#", str(n)) for n in range(count))


NET: Final = " ".join(
    f"fragment F{n} on User {{ id {' '.join(f'...F{m}' for m in range(n + 1, 24))} }}" for n in range(24)
)


HOSTILE: Final[Mapping[str, tuple[str, dict[str, Any], str, str]]] = {
    "deep": ("{ a " * 11 + "}" * 11, {}, "DOCUMENT_TOO_COMPLEX", "11 fields deep; at most 10 are allowed"),
    "braces": ("{ a " * 5000, {}, "DOCUMENT_TOO_COMPLEX", "more levels than can be read"),
    "aliases": (
        f"{{ {many('a#: __typename', 16)} }}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "16 aliases; at most 15 are allowed",
    ),
    "very many aliases": (f"{{ {many('a#:__typename', 500)} }}", {}, "DOCUMENT_TOO_COMPLEX", "more than 1000 tokens"),
    "again and again": (f"{{ {many('__typename', 60)} }}", {}, "DOCUMENT_TOO_COMPLEX", "59 fields that are selected"),
    "directives": (
        f"{{ __typename {many('@include(if: true)', 31)} }}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "31 directives; at most 30 are allowed",
    ),
    "circle": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        {},
        "INVALID_DOCUMENT",
        "Cannot spread fragment 'A' within itself via 'B'",
    ),
    "costly": (
        SIZED % many(f"p#: {MONEY}", 15),
        {"n": 100},
        "QUERY_TOO_COSTLY",
        "the query costs 7611; at most 5000 are allowed: ask for smaller pages",
    ),
    "variants of variants": (
        "query ($id: ID!) { product(id: $id) { variants { product { variants { product { variants { id } } } } } } }",
        {"id": NOBODY},
        "DOCUMENT_TOO_COMPLEX",
        "the list Product.variants within itself by way of something else",
    ),
    "children of parents": (
        "query ($id: ID!) { category(id: $id) { children { parent { children { id } } } } }",
        {"id": NOBODY},
        "DOCUMENT_TOO_COMPLEX",
        "the list Category.children within itself",
    ),
    "sagas of sagas": (
        SAGAS,
        {"id": NOBODY},
        "DOCUMENT_TOO_COMPLEX",
        "the list Order.sagas within itself",
    ),
    "the whole tree, each with its children": (
        "{ categories { children { id } } }",
        {},
        "QUERY_TOO_COSTLY",
        "the query costs 22000",
    ),
    "the schema again and again": (
        f"{{ {many('a#: __schema { types { fields { name } } }', 15)} }}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "__schema 15 times; once is allowed",
    ),
    "type after type": (
        f"{{ {many(TYPE, 11)} }}",
        {},
        "QUERY_TOO_COSTLY",
        "the query costs 5500",
    ),
    "many values": (BY_IDS, {"ids": ["1"] * 1500}, "VARIABLES_TOO_LARGE", "more than 1000 values"),
    "long values": (BY_IDS, {"ids": ["x" * 5000] * 5}, "VARIABLES_TOO_LARGE", "more than 20000 characters"),
    "values within values": (ONE, {"id": "1", "no": [[[1] * 999]]}, "VARIABLES_TOO_LARGE", "more than 1000 values"),
    "two operations": ("query A { a: __typename } query B { b: __typename }", {}, "INVALID_DOCUMENT", "operationName"),
    "no operation": ("fragment A on Query { __typename }", {}, "INVALID_DOCUMENT", "Fragment 'A' is never used"),
    "fragments of the same": (
        f"{{ order(id: 1) {{ {many('...F#', 60)} }} }} {many(f'fragment F# on Order {{ {FIELDS} }}', 60)}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "or more pairs of fields or fragments to compare; at most 3000 are allowed",
    ),
    "a net of fragments": (
        f"{{ me {{ ...F0 }} }} {NET}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "or more pairs of fields or fragments to compare; at most 3000 are allowed",
    ),
    "many operations": (
        many("query Q# { __typename }", 190),
        {},
        "DOCUMENT_TOO_COMPLEX",
        "190 operations and fragments",
    ),
    "wide": (f"{{ {many('f#', 990)} }}", {}, "DOCUMENT_TOO_COMPLEX", "990 fields or more; at most 500 are allowed"),
    "what is not there": (
        f"{{ {many('f#', 500)} }}",
        {},
        "INVALID_DOCUMENT",
        "Cannot query field 'f0' on type 'Query'",
    ),
    "values": (
        f"{{ nodes(ids: [{many('#', 300)}]) {{ id }} }}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "301 values in arguments; at most 200 are allowed",
    ),
    "conditions that are not there": (
        f"{{ orders(first: 1, where: {{ {many('f#: 1', 190)} }}) {{ nodes {{ id }} }} }}",
        {},
        "INVALID_DOCUMENT",
        "not to include unknown field 'f0'",
    ),
    "lines and lines": (
        '{ node(id: """' + "x\n" * 30_000 + '""") { id } }',
        {},
        "DOCUMENT_TOO_COMPLEX",
        "characters; at most 50000 are allowed",
    ),
}
