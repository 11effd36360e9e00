from __future__ import annotations

import gc
from time import monotonic

import pytest
from graphql import FieldNode, Token, parse

from read_api.documents import DocumentRefused
from read_api.limits import MAX_ALIASES, MAX_TOKENS, Measure, Size, compared, written_values
from read_api.schema import make_schema
from tests.read_api.conftest import Api


def size(document: str) -> Size:
    parsed = parse(document)
    return Measure(parsed).of(parsed.definitions[0].selection_set)  # type: ignore[attr-defined]


def nested(depth: int) -> str:
    return "{ a " * depth + "}" * depth


def bomb(levels: int) -> str:
    """Each fragment spreads the next one twice."""
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return " ".join(["{ ...F0 }", *fragments, f"fragment F{levels} on Query {{ x: __typename }}"])


@pytest.mark.parametrize(
    "document, expected",
    [
        ("{ a }", Size(1, 0)),
        ("{ a { b c } d }", Size(2, 0)),
        ("{ x: a { y: b } }", Size(2, 2)),
        ("{ a { ... on T { b { c } } } }", Size(3, 0)),
        ("{ a { ...F } x: b } fragment F on T { b { y: c } }", Size(3, 2)),
        ("{ ...F ...F } fragment F on T { x: a }", Size(1, 2)),
        ("{ a a ... { a } x: a @skip(if: true) }", Size(1, 1, 1, 1)),
        ("{ a @a { b @b } ...F @c } fragment F on T { c }", Size(2, 0, 3, 0)),
        ("{ ...F } fragment F on T { a { ...F } }", Size(1, 0)),
        ("{ ...Lost }", Size(0, 0)),
        ("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }", Size(0, 0)),
    ],
)
def test_a_document_is_measured_as_if_written_out(document: str, expected: Size) -> None:
    assert size(document) == expected


@pytest.mark.parametrize(
    "document, expected",
    [
        ("{ a }", 0),
        ("{ a(b: 1, c: $d) { e(f: true) } }", 3),
        ('{ a(b: [1, 2], c: {d: "x", e: {f: null}}) }', 7),
        ("{ ... { ...F } } fragment F on T { a(b: A) }", 1),
    ],
)
def test_values_are_counted(document: str, expected: int) -> None:
    assert written_values(parse(document)) == expected


@pytest.mark.parametrize(
    "document, expected",
    [
        ("{ a b { c } }", (3, 0)),
        ("{ a a ... { a } }", (3, 3)),
        ("{ a { b } a { b } }", (4, 2)),
        ("{ ...F ...F ...G } fragment F on T { a } fragment G on T { a }", (2, 1 + 3)),
        ("{ ...F } fragment F on T { a { ...F } }", (501, 0)),
    ],
)
def test_fields_are_counted_in_their_places_and_in_pairs(document: str, expected: tuple[int, int]) -> None:
    assert compared(parse(document)) == expected


@pytest.mark.parametrize(
    "document, message",
    [
        (nested(11), "11 fields deep; at most 10 are allowed"),
        (
            f"{{ {' '.join(f'a{n}: __typename' for n in range(MAX_ALIASES + 1))} }}",
            "16 aliases; at most 15 are allowed",
        ),
        (bomb(60), "aliases; at most 15 are allowed"),
        ("{ %s }" % ("a " * MAX_TOKENS), "more than 1000 tokens"),
        ("{ __typename %s }" % ("#\n" * MAX_TOKENS), "more than 1000 tokens"),
    ],
    ids=["deep", "aliases", "bomb", "tokens", "comments"],
)
async def test_a_document_beyond_the_limits_is_refused_at_once(api: Api, document: str, message: str) -> None:
    started = monotonic()
    body = (await api.post(document)).json()
    assert monotonic() - started < 1
    errors = [e for e in body["errors"] if e["extensions"]["code"] == "DOCUMENT_TOO_COMPLEX"]
    assert message in errors[0]["message"]


async def test_introspection_is_within_the_limits(api: Api) -> None:
    from graphql import get_introspection_query

    assert "errors" not in (await api.post(get_introspection_query())).json()


def test_a_document_that_was_refused_is_gone_at_once() -> None:
    """What waits for the collector keeps everybody waiting when its turn comes."""

    def living() -> int:
        return sum(isinstance(each, (FieldNode, Token)) for each in gc.get_objects())

    documents = make_schema().documents
    gc.collect()
    gc.disable()
    before = living()
    try:
        for number in range(3):
            with pytest.raises(DocumentRefused):
                documents.ask(f"{{ {' '.join(f'f{n}' for n in range(900))} }}" + " " * number, None, None)
        assert living() == before
    finally:
        gc.enable()
