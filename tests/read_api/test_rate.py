"""GraphQL requests are counted by what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from domain.actor import ANONYMOUS, Actor
from read_api.documents import DocumentRefused, Documents
from tests.read_api.conftest import ACTORS, SCHEMA, Api

ASK = "{ readModels { model } }"


@dataclass
class Said:
    retry_after: int
    allowed: int = 600

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"ratelimit-policy", b'"graphql";q=600;w=60'), (b"ratelimit", b'"graphql";r=5;t=1')]


@pytest.fixture
def counted(api: Api) -> list[Actor]:
    """Who was counted; the third is one too many."""
    seen: list[Actor] = []

    async def admit(actor: Actor, scope: Any, units: int) -> Said:
        seen.append(actor)
        return Said(0 if len(seen) < 3 else 4)

    api.app._admit = admit
    return seen


async def test_every_answer_says_what_is_left(api: Api, counted: list[Actor]) -> None:
    for who, query in (("staff", ASK), ("customer", "{")):
        answer = await api.post(query, who)
        assert answer.headers["ratelimit-policy"] == '"graphql";q=600;w=60'
        assert answer.headers["ratelimit"] == '"graphql";r=5;t=1'
    assert counted == [ACTORS["staff"], ACTORS["customer"]]


async def test_what_is_too_much_is_not_executed(api: Api, counted: list[Actor]) -> None:
    await api.post(ASK, "staff")
    await api.post(ASK, "staff")
    answer = await api.post(ASK, "staff")
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (429, "RATE_LIMITED")
    assert (answer.headers["retry-after"], answer.headers["ratelimit"]) == ("4", '"graphql";r=5;t=1')
    assert "data" not in answer.json()


async def test_a_bad_token_is_counted_by_address(api: Api, counted: list[Actor]) -> None:
    answer = await api.post(ASK, "forged")
    assert (answer.status_code, counted) == (401, [ANONYMOUS])
    assert answer.headers["ratelimit"] == '"graphql";r=5;t=1'


async def test_a_request_counts_for_every_hundred_of_its_cost(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    async def admit(actor: Actor, scope: Any, units: int) -> None:
        counted.append(units)

    monkeypatch.setattr(api.app, "_admit", admit)
    sized = "query ($n: Int!) { orders(first: $n) { nodes { id customer { id } total { amount } } } }"
    for size in (1, 32, 33, 100):
        await api.post(sized, "staff", n=size)
    await api.post("{ nothing }", "staff")
    assert counted == [1, 1, *(1, 1), *(1, 3), 1]


async def test_who_asks_too_often_costs_no_looking_at_documents(
    api: Api, counted: list[Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    checked = api.app._documents._checked

    def noted(text: str) -> Any:
        looked_at.append(text)
        return checked(text)

    monkeypatch.setattr(api.app._documents, "_checked", noted)
    for number in range(5):
        await api.post(f"{{ a{number}: nothing }}", "staff")
    assert len(looked_at) == 2


async def test_what_was_refused_is_refused_again_without_another_look(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = "{ __typename \n nothing  # at all\n }"
    first = (await api.post(document)).json()
    assert first["errors"][0]["locations"] == [{"line": 2, "column": 2}]
    monkeypatch.setattr(api.app._documents, "_checked", None)
    assert (await api.post(document)).json() == first


async def test_it_remembers_but_so_many_refusals_and_no_long_ones() -> None:
    documents = Documents(SCHEMA._schema, most=3)
    for name in ("a", "b", "c", "d", "x" * 5_000):
        with pytest.raises(DocumentRefused):
            documents.get(f"{{ {name} }}")
    assert len(documents._refused) == 3
    for (error,) in documents._refused._known.values():
        assert (error.nodes, error.source, error.__traceback__) == (None, None, None)
