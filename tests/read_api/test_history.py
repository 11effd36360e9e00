"""Things as they were, what happened to them, and what is different between two moments."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.event import ERASED
from domain.ids import checkout_of, payment_of
from domain.products.events import PriceChanged
from projections.feed import Recorded, Unreadable
from read_api import history as past
from tests.domain.orders.samples import CUSTOMER, cancel_pending, confirmed, placed, tea_shipped
from tests.domain.products.histories import eur
from tests.projections.fakes import AT, recorded
from tests.projections.stories import order_id, told
from tests.read_api.conftest import Api, FakeLog
from tests.read_api.town import a_payment, a_product, a_saga, a_user, an_id, order_of
from tests.specification import a

ORDER = order_id(1)
THEN = """query ($id: ID!, $asOf: AsOf) { order(id: $id, asOf: $asOf) {
    version status lines { quantity shipped } shipments { carrier } timeline { version }
} }"""
STORY = """query ($id: ID!, $first: Int!, $after: Int!) { history(id: $id, first: $first, afterVersion: $after) {
    version type by actor position facts
} }"""
CHANGES = """query ($id: ID!, $before: AsOf!, $after: AsOf!) {
    difference(id: $id, before: $before, after: $after) { path before after }
}"""


@pytest.fixture
async def shop(api: Api) -> Api:
    """An order in four events, a second after each other."""
    await api.has_seen("orders", told((placed, confirmed, tea_shipped, cancel_pending), ORDER))
    await api.has_seen("users", a_user(1))
    return api


async def then(shop: Api, who: str = "customer", **as_of: Any) -> Any:
    return (await shop.ask(THEN, who, id=str(ORDER), asOf=as_of or None))["order"]


@pytest.mark.parametrize("version, status", [(1, "PLACED"), (2, "CONFIRMED"), (3, "PARTIALLY_SHIPPED")])
async def test_an_order_is_shown_as_it_was_at_a_version(shop: Api, version: int, status: str) -> None:
    order = await then(shop, version=version)
    assert (order["version"], order["status"], len(order["timeline"])) == (version, status, version)
    assert len(order["shipments"]) == (version == 3)


async def test_its_newest_version_is_what_it_is_now(shop: Api) -> None:
    assert await then(shop, version=4) == await then(shop)


async def test_an_order_is_shown_as_it_was_at_a_time(shop: Api) -> None:
    for seconds, version in ((1, 1), (2, 2), (60, 4)):
        order = await then(shop, at=(AT + timedelta(seconds=seconds)).isoformat())
        assert order["version"] == version
    assert await then(shop, at=AT.isoformat()) is None


async def test_there_is_nothing_at_versions_it_never_had(shop: Api) -> None:
    assert await then(shop, version=5) is None


@pytest.mark.parametrize("as_of", [{"version": 0}, {"at": "2026-01-02T03:04:05"}])
async def test_a_moment_that_is_none_is_refused(shop: Api, as_of: Any) -> None:
    refusal = await shop.refused(THEN, id=str(ORDER), asOf=as_of)
    assert (refusal["extensions"]["code"], refusal["extensions"]["path"]) == ("INVALID_VALUE", "asOf")


async def test_one_moment_is_asked_for_not_two(shop: Api) -> None:
    refusal = await shop.refused(THEN, id=str(ORDER), asOf={"version": 1, "at": AT.isoformat()})
    assert "exactly one" in refusal["message"].lower()


async def test_others_see_nothing_of_what_was(shop: Api) -> None:
    assert await then(shop, "other", version=1) is None
    assert (await shop.ask(STORY, "other", id=str(ORDER), first=5, after=0))["history"] is None
    moments = {"before": {"version": 1}, "after": {"version": 2}}
    assert (await shop.ask(CHANGES, "other", id=str(ORDER), **moments))["difference"] is None


async def history(shop: Api, who: str, first: int = 100, after: int = 0, of: Any = ORDER) -> Any:
    return (await shop.ask(STORY, who, id=str(of), first=first, after=after))["history"]


async def test_history_tells_what_happened(shop: Api) -> None:
    found = await history(shop, "staff")
    assert [(each["version"], each["type"]) for each in found] == [
        (1, "orders.order-placed"),
        (2, "orders.order-confirmed"),
        (3, "orders.order-shipped"),
        (4, "orders.cancellation-requested"),
    ]
    assert [each["position"] for each in found] == [1, 2, 3, 4]
    assert found[0]["by"] == "SYSTEM"
    assert found[0]["actor"] == "anonymous"


async def test_history_has_pages(shop: Api) -> None:
    assert [each["version"] for each in await history(shop, "staff", first=2, after=1)] == [2, 3]


async def test_staff_sees_that_there_is_something_personal(shop: Api) -> None:
    facts = (await history(shop, "staff"))[0]["facts"]
    assert facts["address"] == "(personal)"
    assert facts["customerId"] == str(CUSTOMER)
    assert facts["total"]["currency"] == "EUR"


async def test_customers_see_what_is_for_them(shop: Api) -> None:
    first = (await history(shop, "customer"))[0]
    assert (first["actor"], first["position"]) == (None, None)
    assert first["facts"]["address"]["city"] == "London"
    assert not first["facts"].keys() & {"paymentToken", "customerId"}


async def test_customers_see_nothing_of_how_the_gateway_is_asked(api: Api) -> None:
    payment = payment_of(order_of(1))
    mine = [event.model_copy(update={"customer_id": CUSTOMER}) for event in a_payment(1)[:1]]
    await api.has_seen("payments", [*mine, *a_payment(1)[1:]])
    facts = [each["facts"] for each in await history(api, "customer", of=payment)]
    assert facts[0]["due"]["currency"] == "EUR"
    assert not {name for each in facts for name in each} & {"gatewayKey", "reference", "token", "attemptId"}


async def test_sagas_users_and_products_have_a_history_too(shop: Api) -> None:
    await shop.has_seen("sagas", a_saga(1))
    saga = await history(shop, "staff", of=checkout_of(payment_of(order_of(1))))
    assert saga[0]["type"] == "sagas.saga-started"
    user = await history(shop, "staff", of=an_id("customer", 1))
    assert user[0]["facts"]["email"] == "(personal)"


async def test_what_has_no_history_is_null(shop: Api) -> None:
    assert await history(shop, "staff", of=uuid4()) is None


async def test_the_difference_between_two_versions(shop: Api) -> None:
    moments = {"before": {"version": 2}, "after": {"version": 3}}
    found = (await shop.ask(CHANGES, "customer", id=str(ORDER), **moments))["difference"]
    changes = {each["path"]: (each["before"], each["after"]) for each in found}
    assert changes["status"] == ("CONFIRMED", "PARTIALLY_SHIPPED")
    assert changes["version"] == (2, 3)
    assert changes["lines.0.shipped"][0] == 0
    assert changes["shipments.0"][0] is None
    assert not [path for path in changes if path.startswith(("timeline", "saga"))]


async def test_the_difference_of_a_product_is_in_it_and_in_its_variants(shop: Api) -> None:
    price = a(PriceChanged, variant_id=an_id("variant", 1), old=eur(1000), new=eur(900))
    tea = a_product(1)
    last = max(event.originator_version for event in tea if event.originator_id == an_id("product", 1))
    await shop.has_seen("products", [*tea, price(an_id("product", 1), last + 1)])
    moments = {"before": {"version": last}, "after": {"version": last + 1}}
    found = (await shop.ask(CHANGES, "staff", id=str(an_id("product", 1)), **moments))["difference"]
    changes = {each["path"]: (each["before"], each["after"]) for each in found}
    assert changes["variants.0.price.amount"] == (1000, 900)
    assert {path.split(".")[0] for path in changes} == {"version", "variants", "minPrice", "maxPrice"}


async def test_nothing_is_different_from_itself(shop: Api) -> None:
    moments = {"before": {"version": 3}, "after": {"version": 3}}
    assert (await shop.ask(CHANGES, "customer", id=str(ORDER), **moments))["difference"] == []


@pytest.mark.parametrize("moment", [{"version": 4}, {"at": (AT + timedelta(days=1)).isoformat()}])
async def test_a_past_of_very_many_events_is_refused(
    shop: Api, monkeypatch: pytest.MonkeyPatch, moment: dict[str, Any]
) -> None:
    monkeypatch.setattr(past, "LONGEST", 3)
    assert (await then(shop, version=3))["version"] == 3
    refusal = await shop.refused(THEN, id=str(ORDER), asOf=moment)
    assert refusal["extensions"]["code"] == "HISTORY_NOT_READABLE"
    assert "it had more than 3 events by then; ask for an earlier moment" in refusal["message"]


@pytest.mark.parametrize("chunk", [1, 3, 4])
async def test_it_is_folded_a_little_at_a_time(shop: Api, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    whole, lengths, stream = await then(shop, version=4), [], FakeLog.stream

    async def noted(*args: Any) -> list[Recorded]:
        events = await stream(*args)
        lengths.append(len(events))
        return events

    monkeypatch.setattr(FakeLog, "stream", noted)
    monkeypatch.setattr(past, "CHUNK", chunk)
    assert await then(shop, version=4) == whole
    assert (sum(lengths), max(lengths)) == (4, chunk)


async def test_what_this_release_cannot_read_is_said(shop: Api) -> None:
    third = shop.feeds["orders"].log[2]
    shop.feeds["orders"].log[2] = unreadable(third)
    assert (await then(shop, version=2))["status"] == "CONFIRMED"
    refusal = await shop.refused(THEN, id=str(ORDER), asOf={"version": 3})
    assert refusal["extensions"]["code"] == "HISTORY_NOT_READABLE"
    assert "version 3" in refusal["message"]


def unreadable(of: Recorded) -> Recorded:
    event = Unreadable(
        originator_id=of.event.originator_id,
        originator_version=of.event.originator_version,
        timestamp=of.event.timestamp,
        topic="orders.unheard-of",
        reason="unknown",
    )
    return recorded(event, of.position)


async def test_who_was_erased_has_nothing_personal_in_what_was(api: Api) -> None:
    first, *rest = told((placed, confirmed), ORDER)
    erased = {"address": ERASED, "note": ERASED, "payment_token": ERASED}
    await api.has_seen("orders", [first.model_copy(update=erased), *rest])
    document = "query ($id: ID!) { order(id: $id, asOf: {version: 1}) { address { city } note } }"
    assert (await api.ask(document, "staff", id=str(ORDER)))["order"] == {"address": None, "note": None}


async def test_without_a_log_only_what_is_can_be_shown(shop: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.app, "_logs", {})
    assert (await then(shop))["version"] == 4
    refusal = await shop.refused(THEN, id=str(ORDER), asOf={"version": 1})
    assert refusal["extensions"]["code"] == "LOG_NOT_AT_HAND"


# -- what is not yours answers as what is not there, whatever its log holds

AS_OF: dict[str, str] = {
    "order": "query ($id: ID!, $asOf: AsOf!) { order(id: $id, asOf: $asOf) { status } }",
    "payment": "query ($id: ID!, $asOf: AsOf!) { payment(id: $id, asOf: $asOf) { status } }",
    "product": "query ($id: ID!, $asOf: AsOf!) { product(id: $id, asOf: $asOf) { status } }",
    "user": "query ($id: ID!, $asOf: AsOf!) { user(id: $id, asOf: $asOf) { status } }",
}
MOMENTS = ({"version": 1}, {"version": 3}, {"at": AT.isoformat()}, {"at": "2026-06-01T00:00:00Z"}, {"version": 0})


@pytest.mark.parametrize("readable", [True, False], ids=["readable", "unreadable"])
@pytest.mark.parametrize("kind", AS_OF)
async def test_what_others_have_answers_to_the_byte_as_what_nobody_has(shop: Api, kind: str, readable: bool) -> None:
    """Neither what its log holds, nor how long it is, nor whether there is one at hand, says that it is there."""
    await shop.has_seen("payments", a_payment(1))
    await shop.has_seen("products", a_product(1)[:2])  # a draft
    theirs = {
        "order": ORDER,
        "payment": payment_of(order_of(1)),
        "product": an_id("product", 1),
        "user": an_id("customer", 1),
    }
    for feed in shop.feeds.values() if not readable else ():
        feed.log[:] = [unreadable(each) for each in feed.log]
    for who in ("other", None) if kind == "product" else ("other",):
        for as_of in MOMENTS:
            answers = []
            for id in (theirs[kind], uuid4()):
                response = await shop.post(AS_OF[kind], who, id=str(id), asOf=as_of)
                answers.append((response.status_code, without_trace(response.text)))
            assert answers[0] == answers[1]
    if not readable:
        refusal = await shop.refused(AS_OF[kind], "staff", id=str(theirs[kind]), asOf={"version": 1})
        assert refusal["extensions"]["code"] == "HISTORY_NOT_READABLE"


async def test_nothing_is_read_of_the_log_of_what_others_have(shop: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.app, "_logs", {})
    assert await then(shop, "other", version=1) is None


def without_trace(body: str) -> str:
    """Each error has a trace id of its own."""
    return re.sub(r'"traceId":\s*"[^"]*"', "", body)
