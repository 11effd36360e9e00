from __future__ import annotations

from typing import Any

import pytest

from tests.projections.stories import order_id
from tests.read_api.conftest import Api
from tests.read_api.test_orders import an_order

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $by: OrdersOrderBy! = CREATED_AT_ASC) {
    orders(first: $first, after: $after, last: $last, before: $before, orderBy: $by) {
        edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def seen(api: Api, orders: int = 5) -> list[str]:
    await api.has_seen("orders", [event for n in range(orders) for event in an_order(n)])
    return [str(order_id(n)) for n in range(orders)]


async def page(api: Api, **arguments: Any) -> tuple[list[str], dict[str, Any]]:
    orders = (await api.ask(PAGE, **arguments))["orders"]
    return [edge["node"]["id"] for edge in orders["edges"]], orders["pageInfo"]


async def test_forward(api: Api) -> None:
    ids = await seen(api)
    first, info = await page(api, first=2)
    assert (first, info["hasNextPage"], info["hasPreviousPage"]) == (ids[:2], True, False)
    second, info = await page(api, first=3, after=info["endCursor"])
    assert (second, info["hasNextPage"], info["hasPreviousPage"]) == (ids[2:], False, True)


async def test_backward(api: Api) -> None:
    ids = await seen(api)
    last, info = await page(api, last=2)
    assert (last, info["hasNextPage"], info["hasPreviousPage"]) == (ids[3:], False, True)
    rest, info = await page(api, last=3, before=info["startCursor"])
    assert (rest, info["hasNextPage"], info["hasPreviousPage"]) == (ids[:3], True, False)


async def test_between_two_cursors(api: Api) -> None:
    ids = await seen(api)
    _, outer = await page(api, first=5)
    assert (await page(api, first=5, after=outer["startCursor"], before=outer["endCursor"]))[0] == ids[1:4]


async def test_an_empty_list_has_no_cursors(api: Api) -> None:
    assert await page(api, first=1) == (
        [],
        {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    )


@pytest.mark.parametrize(
    "arguments", [{}, {"first": 0}, {"first": 101}, {"last": -1}, {"first": 1, "last": 1}], ids=str
)
async def test_the_size_of_a_page_must_be_said_and_be_small(api: Api, arguments: dict[str, Any]) -> None:
    error = await api.refused(PAGE, **arguments)
    assert "give first or last, 1 to 100" in error["message"]
    assert error["extensions"] == {"code": "INVALID_PAGE", "maximum": 100}


@pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "a" * 100, "*"])
async def test_what_is_no_cursor_is_refused(api: Api, cursor: str) -> None:
    error = await api.refused(PAGE, first=1, after=cursor)
    assert error["extensions"] == {"code": "INVALID_CURSOR", "argument": "after"}


async def test_a_cursor_of_another_ordering_is_refused(api: Api) -> None:
    await seen(api)
    _, info = await page(api, first=1)
    error = await api.refused(PAGE, first=1, after=info["endCursor"], by="CREATED_AT_DESC")
    assert error["extensions"]["code"] == "INVALID_CURSOR"


@pytest.mark.usefixtures("executed")
async def test_nothing_is_counted_unless_asked_and_no_further_than_shown(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seen(api)
    monkeypatch.setattr("read_api.connection.MAX_COUNT", 3)
    asked = "{ orders(first: 1) { totalCount totalCountCapped } }"
    assert (await api.ask(asked))["orders"] == {"totalCount": 3, "totalCountCapped": True}
