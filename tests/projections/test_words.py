"""Words as PostgreSQL sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.words import MOST_TERMS, query, vector, words

texts = st.text(max_size=80) | st.text(alphabet="ab ä茶道具ーガか\u3099ｶﾞ'\\:*&|!()<->\"\x00ß-12", max_size=80)
weights = st.sampled_from("ABCD")


@pytest.fixture(scope="module")
def connection(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


def matches(connection: psycopg.Connection[Any], text: str, asked: str) -> bool:
    found = connection.execute("SELECT %s::tsvector @@ %s::tsquery", [vector((text, "A")), query(asked)]).fetchone()
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize(
    "text, asked",
    [
        ("Green tea", "tea"),
        ("Green tea", "TEA green"),
        ("Teapot", "tea"),
        ("Käse-Hobel", "kase"),
        ("Käse-Hobel", "käse"),
        ("Käse-Hobel", "Kaese"),
        ("Strasse", "Straße"),
        ("Crème brûlée", "creme brulee"),
        ("Smørrebrød", "smorre"),
        ("ABC-12/X", "abc-12"),
        ("ABC-12/X", "12"),
        ("ABC-12/X", "x"),
        ("東京都の茶碗", "京都"),
        ("東京都の茶碗", "茶"),
        ("東京都の茶碗", "碗"),
        ("東京都の茶碗", "の茶碗"),
        ("ノートブック", "のーと"),
        ("ガラス", "ｶﾞﾗｽ"),
        ("\uff21\uff22\uff23", "abc"),
        ("抹茶 Matcha 30g", "matcha 抹茶"),
        ("한국어 노트", "한국"),
        ("หนังสือภาษาไทย", "ภาษา"),
    ],
)
def test_a_text_is_found_by_its_words(connection: psycopg.Connection[Any], text: str, asked: str) -> None:
    assert matches(connection, text, asked)


@pytest.mark.parametrize(
    "text, asked",
    [
        ("Green tea", "pot"),
        ("Green tea", "green coffee"),
        ("Green tea", "ea"),
        ("Green tea", "t"),
        ("ガラス", "カラス"),
        ("京都と東京", "東京都"),
        ("茶道", "道茶"),
    ],
)
def test_a_text_is_not_found_by_what_is_not_in_it(connection: psycopg.Connection[Any], text: str, asked: str) -> None:
    assert not matches(connection, text, asked)


@pytest.mark.parametrize("text", ["", "   ", "!!!", "&|!():*<->'\\", "\x00", "\u3000", "\u0301", "🍵"])
def test_there_are_texts_without_words(text: str) -> None:
    assert (list(words(text)), vector((text, "A")), query(text)) == ([], "", None)


def test_only_so_many_words_are_looked_for() -> None:
    asked = query(" ".join(f"word{n}" for n in range(10 * MOST_TERMS)))
    assert asked is not None
    assert asked.count("&") == MOST_TERMS - 1
    assert query("tea " * 100_000) == query("tea")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.lists(st.tuples(texts, weights), max_size=4))
def test_a_vector_is_written_as_postgresql_writes_it(
    connection: psycopg.Connection[Any], weighted: list[tuple[str, str]]
) -> None:
    written = vector(*weighted)
    assert connection.execute("SELECT %s::tsvector::text", [written]).fetchone() == (written,)


def test_a_very_long_text_is_written_as_postgresql_writes_it(connection: psycopg.Connection[Any]) -> None:
    long = vector(("茶道具" * 7_000, "C"), ("x" * 5_000 + " " + "y " * 400, "D"))
    assert connection.execute("SELECT %s::tsvector::text", [long]).fetchone() == (long,)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(texts)
def test_every_text_is_found_by_itself(connection: psycopg.Connection[Any], text: str) -> None:
    if query(text):
        assert matches(connection, text, text)


@pytest.mark.parametrize("asked", ["道具", "茶道具", "道具屋"])
def test_no_stretch_runs_over_the_end_of_a_text(connection: psycopg.Connection[Any], asked: str) -> None:
    both = vector(("茶道", "A"), ("具屋", "A"))
    assert connection.execute("SELECT %s::tsvector @@ %s::tsquery", [both, query(asked)]).fetchone() == (False,)
