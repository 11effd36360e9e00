"""GraphQL requests are counted by what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from domain.actor import ANONYMOUS, Actor
from tests.read_api.conftest import ACTORS, Api

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
    for size in (1, 33, 34, 100):
        await api.post(sized, "staff", n=size)
    await api.post("{ nothing }", "staff")
    assert counted == [1, 1, 2, 3, 1]
