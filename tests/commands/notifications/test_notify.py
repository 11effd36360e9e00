"""Who is told by which channels, on the real loop."""

from __future__ import annotations

import asyncio

import pytest

from commands.notifications.messages import RecordFailed, RecordSent
from domain.errors import Forbidden, NotAllowedNow
from domain.ids import new_id
from domain.notifications.events import Channel
from domain.notifications.notification import Status as Told
from domain.users.user import Status
from domain.users.values import Notice
from tests.commands.notifications.desk import HANA, KEN, Desk, opened

ORDER = str(new_id())
STAFF = {"audience": "staff"}


async def channels(desk: Desk) -> list[Channel]:
    return [each.channel for each in await desk.all()]


async def test_an_update_of_an_order_goes_to_the_inbox_and_by_every_way_its_customer_wants(desk: Desk) -> None:
    hana = desk.users.add(HANA.id, locale="ja-JP")
    answer = await desk.notify("order-shipped", hana, order_id=ORDER, shipment_id=str(new_id()))
    assert answer.status_code == 201
    found = await desk.all()
    assert {each.channel for each in found} == set(Channel)
    assert {(each.user_id, each.trigger, each.locale, each.status) for each in found} == {
        (HANA.id, "order-shipped", "ja-JP", Told.REQUESTED)
    }
    assert found[0].facts["order_id"] == ORDER
    assert answer.json()["id"] in {str(each.id) for each in found}


async def test_who_wants_no_updates_finds_them_in_the_inbox(desk: Desk) -> None:
    hana = desk.users.add(HANA.id, notices=(Notice.OFFERS,))
    await desk.notify("order-shipped", hana, order_id=ORDER)
    assert await channels(desk) == [Channel.IN_APP]


async def test_what_costs_money_goes_out_for_what_is_urgent_only(desk: Desk) -> None:
    await desk.notify("order-placed", desk.users.add(HANA.id), order_id=ORDER)
    assert Channel.SMS not in await channels(desk)


@pytest.mark.parametrize("trigger", ["registered", "password-reset"])
async def test_what_is_about_the_account_is_always_mailed_and_nothing_else(desk: Desk, trigger: str) -> None:
    await desk.notify(trigger, desk.users.add(HANA.id, Status.REGISTERED, notices=()), version=2)
    assert await channels(desk) == [Channel.EMAIL]


async def test_stock_is_for_the_staff(desk: Desk) -> None:
    await desk.notify("stock-low", STAFF, variant_id=str(new_id()), available=2)
    assert sorted(await channels(desk)) == [Channel.EMAIL, Channel.IN_APP]


async def test_a_channel_that_the_installation_lacks_is_not_used(database: str) -> None:
    async with opened(database, frozenset({Channel.EMAIL, Channel.IN_APP})) as desk:
        await desk.notify("order-shipped", desk.users.add(HANA.id), order_id=ORDER)
        assert sorted(await channels(desk)) == [Channel.EMAIL, Channel.IN_APP]


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.ERASED])
@pytest.mark.parametrize("trigger", ["order-shipped", "password-reset"])
async def test_who_is_suspended_or_erased_is_told_nothing_and_that_is_recorded(
    desk: Desk, status: Status, trigger: str
) -> None:
    answer = await desk.notify(trigger, desk.users.add(HANA.id, status))
    (only,) = await desk.all()
    assert (only.status, only.code) == (Told.FAILED, f"RECIPIENT_{status.name}")
    assert answer.json()["status"] == "FAILED"


async def test_the_same_event_leads_to_the_same_notifications_once(desk: Desk) -> None:
    hana, cause = desk.users.add(HANA.id), new_id()
    first, *others = await asyncio.gather(*(desk.notify("order-placed", hana, cause=cause) for _ in range(5)))
    desk.users.add(HANA.id, notices=())
    late = await desk.notify("order-placed", hana, cause=cause)
    assert {answer.json()["id"] for answer in (first, *others, late)} == {first.json()["id"]}
    assert sorted(await channels(desk)) == [Channel.EMAIL, Channel.IN_APP, Channel.PUSH]


async def test_only_a_process_of_ours_may_ask_and_only_with_a_key(desk: Desk) -> None:
    body = {"cause": str(new_id()), "trigger": "order-placed", **desk.users.add(HANA.id)}
    assert (await desk.post("/v1/notifications", by="staff", **body)).status_code == 403
    assert (await desk.post("/v1/notifications", key=None, **body)).json()["code"] == "IDEMPOTENCY_KEY_REQUIRED"
    assert await desk.all() == []


async def test_a_recipient_of_the_wrong_sort_is_refused_with_the_right_one(desk: Desk) -> None:
    hana = desk.users.add(HANA.id)
    for trigger, to in [
        ("order-placed", STAFF),
        ("order-placed", {}),
        ("stock-low", hana),
        ("stock-low", {**STAFF, **hana}),
    ]:
        answer = await desk.notify(trigger, to)
        assert answer.json()["code"] == "WRONG_RECIPIENT"
    assert "a user, by userId" in (await desk.notify("order-placed", STAFF)).json()["detail"]
    assert (await desk.notify("order-placed", {"userId": str(new_id())})).json()["code"] == "NOT_FOUND"


async def test_a_name_is_no_fact(desk: Desk) -> None:
    answer = await desk.notify("order-placed", desk.users.add(HANA.id), customer="Hana Sato")
    assert answer.json()["code"] == "VALIDATION_FAILED"


async def test_one_reads_what_is_in_ones_own_inbox(desk: Desk) -> None:
    await desk.notify("order-placed", desk.users.add(HANA.id))
    inbox, mail = sorted(await desk.all(), key=lambda each: each.channel is not Channel.IN_APP)[:2]
    assert (await desk.post(f"/v1/notifications/{inbox.id}/read", by="ken")).status_code == 404
    assert (await desk.post(f"/v1/notifications/{inbox.id}/read", by="staff")).status_code == 404
    assert (await desk.post(f"/v1/notifications/{mail.id}/read", by="hana")).json()["code"] == "NOT_IN_THE_INBOX"
    assert (await desk.post(f"/v1/notifications/{inbox.id}/read", by="hana", key="1")).json()["version"] == 2
    assert (await desk.post(f"/v1/notifications/{inbox.id}/read", by="hana", key="2")).json()["version"] == 2


async def test_what_is_for_the_staff_is_read_by_any_of_them(desk: Desk) -> None:
    await desk.notify("stock-out", STAFF, variant_id=str(new_id()))
    inbox = next(each for each in await desk.all() if each.channel is Channel.IN_APP)
    assert (await desk.look(f"/v1/notifications/{inbox.id}", "hana")).status_code == 404
    assert (await desk.post(f"/v1/notifications/{inbox.id}/read", by="hana")).status_code == 404
    assert (await desk.post(f"/v1/notifications/{inbox.id}/read", by="staff")).status_code == 200


async def test_a_customer_looks_at_their_own_only(desk: Desk) -> None:
    await desk.notify("registered", desk.users.add(HANA.id))
    (mail,) = await desk.all()
    assert (await desk.look(f"/v1/notifications/{mail.id}", "hana")).json()["status"] == "REQUESTED"
    assert (await desk.look(f"/v1/notifications/{mail.id}", "staff")).status_code == 200
    assert (await desk.look(f"/v1/notifications/{mail.id}", "ken")).status_code == 404


async def test_what_came_of_it_is_recorded_by_who_sends_it_once(desk: Desk) -> None:
    await desk.notify("registered", desk.users.add(HANA.id))
    (mail,) = await desk.all()
    with pytest.raises(Forbidden):
        await desk.tell(RecordSent(reference="<a@b>"), mail.id, by=KEN)
    assert await desk.tell(RecordSent(reference="<a@b>"), mail.id) == "SENT"
    assert await desk.tell(RecordSent(reference="<a@b>"), mail.id) == "SENT"
    with pytest.raises(NotAllowedNow):
        await desk.tell(RecordFailed(code="GAVE_UP", why="late"), mail.id)
