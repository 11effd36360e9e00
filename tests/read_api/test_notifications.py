from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.event import Event
from tests.domain.notifications.samples import failed, for_staff, in_the_inbox, requested, sent
from tests.domain.orders.samples import CUSTOMER
from tests.projections.stories import told
from tests.read_api.conftest import OTHER, Api
from tests.specification import Make

MINE, THEIRS, STAFFS = uuid4(), uuid4(), uuid4()
ALL = "query ($where: NotificationsWhere) { notifications(first: 10, where: $where) { nodes { id } totalCount } }"
ONE = "query ($id: ID!) { notification(id: $id) { channel trigger unread status code why reference facts { name } } }"


def events(id: UUID, user: Any, *story: Make) -> list[Event]:
    first, *rest = told(story, id)
    return [first.model_copy(update={"user_id": user}), *rest]


@pytest.fixture(autouse=True)
async def seen(api: Api) -> None:
    log = [*events(MINE, CUSTOMER, in_the_inbox, sent), *events(THEIRS, OTHER, requested, failed)]
    await api.has_seen("notifications", [*log, *told((for_staff,), STAFFS)])


async def listed(api: Api, who: str, **where: Any) -> set[str]:
    data = await api.ask(ALL, who, where=where)
    return {node["id"] for node in data["notifications"]["nodes"]}


async def test_a_customer_sees_their_own_and_staff_all(api: Api) -> None:
    assert await listed(api, "customer") == {str(MINE)}
    assert await listed(api, "other") == {str(THEIRS)}
    assert await listed(api, "staff") == {str(MINE), str(THEIRS), str(STAFFS)}


async def test_nobody_finds_what_is_not_for_them_by_its_id(api: Api) -> None:
    for id in (THEIRS, STAFFS):
        assert (await api.ask(ONE, id=str(id)))["notification"] is None
        refusal = await api.refused("query ($id: ID!) { node(id: $id) { id } }", id=str(id))
        assert refusal["extensions"]["code"] == "NOT_FOUND"


async def test_one_shows_what_it_is_about_and_its_sending_to_staff_only(api: Api) -> None:
    mine = (await api.ask(ONE, id=str(MINE)))["notification"]
    assert (mine["channel"], mine["trigger"], mine["unread"], mine["status"]) == (
        "IN_APP", "order-shipped", True, "SENT",
    )  # fmt: skip
    assert [fact["name"] for fact in mine["facts"]] == ["order_id", "shipment_id"]
    assert mine["reference"] is None
    theirs = (await api.ask(ONE, "other", id=str(THEIRS)))["notification"]
    assert (theirs["code"], theirs["why"]) == ("SMTP_550", None)
    assert (await api.ask(ONE, "staff", id=str(THEIRS)))["notification"]["why"] == "the mail server answered 550"


async def test_lists_are_narrowed(api: Api) -> None:
    assert await listed(api, "staff", unread={"eq": True}) == {str(MINE), str(STAFFS)}
    assert await listed(api, "staff", audience={"eq": "STAFF"}) == {str(STAFFS)}
    assert await listed(api, "staff", status={"in": ["FAILED"]}, channel={"eq": "EMAIL"}) == {str(THEIRS)}
    assert await listed(api, "customer", userId={"eq": str(OTHER)}) == set()
    assert await listed(api, "staff", trigger={"eq": "order-shipped"}) == {str(MINE), str(THEIRS)}


async def test_who_is_not_signed_in_has_none(api: Api) -> None:
    answer = (await api.post(ALL)).json()
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
