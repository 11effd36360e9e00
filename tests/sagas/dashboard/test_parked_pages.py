"""Parked: what waits and why, tried without doing, one first and then the others, passed over, refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.ids import new_id
from infra.dashboard import InProcess
from sagas.dashboard.parked_bulk import Seen, packed
from sagas.dashboard.port import Answered, Asked
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, STAFF, House, opened
from tests.sagas.dashboard.parking import CAUSE, Bug, audited, bug, drafts, parked
from tests.sagas.dashboard.test_frame import signed_in


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        yield house


@pytest.fixture
def mistake() -> Iterator[Bug]:
    with bug() as found:
        yield found


def posted(house: House, who: str, path: str, **fields: str) -> httpx.Response:
    """As a form of the dashboard is sent."""
    cookies = signed_in(house, who)
    page = httpx.get(f"{house.address}/dashboard/parked", cookies=cookies).text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    form = {"csrf": token[1], "key": str(new_id()), **fields}
    return httpx.post(f"{house.address}/dashboard{path}", data=form, cookies=cookies)


def fill(visitor: Visitor, form: str, why: str) -> None:
    box: Any = visitor.page.locator(f"form[action$='{form}']")
    box.locator("[name=reason]").fill(why)
    box.locator("button").click()


@pytest.mark.requires("browser")
def test_one_goes_first_and_the_others_once_that_went_well(house: House, mistake: Bug, operator: Visitor):
    ids = drafts(house, 3)
    page: Any = operator.page
    operator.go("/parked")
    page.get_by_role("link", name=CAUSE).click()
    assert "a share of <script>nothing</script>" in operator.text()
    assert page.locator("tbody tr").count() == 3
    assert page.get_by_role("button", name="Retry 3").is_disabled()

    page.get_by_role("link", name="Dry run of these 3").click()
    assert operator.text().count("it would fail at version 1") == 3
    assert "dry-run=yes" in page.url
    fill(operator, "/parked/cause/canary", "to see whether it is mended")
    page.locator("#asked .state.bad").wait_for()
    assert "parked again at version 1" in operator.text()
    assert page.get_by_role("button", name="Retry 3").is_disabled() is True

    mistake.there = False
    operator.go(f"/parked/cause?fingerprint={CAUSE}&dry-run=yes")
    assert operator.text().count("2 events would be applied") == 3
    assert operator.axe() == []
    fill(operator, "/parked/cause/canary", "mended")
    page.locator("#asked .state.good").wait_for()
    page.reload()
    fill(operator, "/parked/cause/retry", "all of them now")
    page.wait_for_url("**/parked/outcomes?**")
    page.locator("#outcomes .state.good").nth(1).wait_for()
    eventually(lambda: parked(house) == [])
    assert {(row["kind"], row["status"], row["reason"]) for row in audited(house) if row["target"] in ids} == {
        ("parked.retry", "FAILED", "to see whether it is mended"),
        ("parked.retry", "DONE", "mended"),
        ("parked.retry", "DONE", "all of them now"),
    }
    operator.go("/parked")
    assert "Nothing is parked" in operator.text()


@pytest.mark.requires("browser")
def test_an_event_is_passed_over_when_just_its_type_was_typed(house: House, mistake: Bug, operator: Visitor):
    [id] = drafts(house, 1)
    page: Any = operator.page
    operator.go(f"/parked/{id}")
    assert "orders.line-added" in operator.text()  # what waits behind
    assert operator.axe() == []
    page.fill("[name=confirm]", "orders.order-drafted")
    fill(operator, f"/parked/{id}/discard", "a draft of a test")
    page.locator("#asked .state.good").wait_for()
    assert "parked again at version 2" in operator.text()  # a line cannot be added to an order without a row
    page.reload()
    page.fill("[name=confirm]", "orders.line-added")
    fill(operator, f"/parked/{id}/discard", "and what is behind it")
    page.locator("#asked .state.good").wait_for()
    eventually(lambda: parked(house) == [])
    page.reload()
    assert f"Nothing is parked under {id} any more" in operator.text()


def test_who_may_only_look_is_denied_and_that_is_kept(house: House, mistake: Bug):
    [id] = drafts(house, 1)
    attempts = str(parked(house)[0]["attempts"])
    answer = posted(house, STAFF, f"/parked/{id}/retry", reason="let me", attempts=attempts)
    assert answer.status_code == 403
    assert "You may not do that" in answer.text
    assert "in the audit log" in answer.text
    eventually(lambda: any(row["status"] == "DENIED" and row["target"] == id for row in audited(house)))
    bulk = posted(house, STAFF, "/parked/cause/retry", reason="let me", ids="", canary=str(new_id()))
    assert (bulk.status_code, "more than the role" in bulk.text) == (403, True)
    assert len(parked(house)) == 1
    mistake.there = False
    posted(house, OPERATOR, f"/parked/{id}/retry", reason="tidy up", attempts=attempts)
    eventually(lambda: parked(house) == [])


def test_what_cannot_be_done_is_refused_and_says_why(house: House, mistake: Bug):
    [id] = drafts(house, 1)
    event = str(parked(house)[0]["event_id"])
    passed = {"event": event, "event-type": "orders.order-drafted"}
    cases = [
        (f"/parked/{id}/retry", {"reason": " ", "attempts": "1"}, 422, "It needs a reason"),
        (f"/parked/{id}/retry", {"reason": "x", "attempts": "soon"}, 400, "how often it was tried"),
        (f"/parked/{id}/discard", {"reason": "x", "confirm": "yes", **passed}, 422, "It was not confirmed"),
        ("/parked/nonsense/retry", {"reason": "x", "attempts": "1"}, 400, "no id of a parked sequence"),
        ("/parked/cause/retry", {"reason": "x", "ids": "AAAA", "canary": str(new_id())}, 409, "One goes first"),
    ]
    for path, fields, status, said in cases:
        answer = posted(house, OPERATOR, path, **fields)
        assert (answer.status_code, said in answer.text) == (status, True), (path, answer.text)
    seen_too_early = posted(house, OPERATOR, f"/parked/{id}/retry", reason="x", attempts="7")
    assert seen_too_early.status_code == 303
    eventually(lambda: any("somebody tried it meanwhile" in (row["explanation"] or "") for row in audited(house)))
    assert len(parked(house)) == 1
    forged = httpx.post(f"{house.address}/dashboard/parked/{id}/retry", data={"reason": "x", "attempts": "1"},
                        cookies=signed_in(house, OPERATOR))  # fmt: skip
    assert forged.status_code == 403
    mistake.there = False
    twice = {"reason": "a double click", "attempts": "1", "key": str(new_id())}
    answers = [posted(house, OPERATOR, f"/parked/{id}/retry", **twice) for _ in range(2)]
    assert answers[0].status_code == 303
    assert (answers[1].status_code, "This was sent already" in answers[1].text) == (409, True)
    eventually(lambda: parked(house) == [])


def test_the_others_wait_for_a_canary_of_this_cause_that_went_well_for_the_same_person(
    house: House, mistake: Bug, monkeypatch: pytest.MonkeyPatch
):
    house.hire("another@chobo.example", "admin")
    ids = drafts(house, 3)
    seen = packed([Seen(UUID(id), 1) for id in ids])
    first = {"reason": "mended", "id": ids[0], "attempts": "1"}
    other = posted(house, OPERATOR, "/parked/cause/canary", fingerprint="ValueError elsewhere", **first)
    assert (other.status_code, "It has another cause by now" in other.text) == (412, True)

    mistake.there = False
    canary = posted(house, OPERATOR, "/parked/cause/canary", fingerprint=CAUSE, **first)
    query = httpx.URL(canary.headers["location"]).params
    eventually(lambda: len(parked(house)) == 2)
    good = {"canary": query["operation"], "vouched": query["vouched"], "fingerprint": CAUSE, "ids": seen}

    def refused(who: str = OPERATOR, **more: str) -> None:
        answer = posted(house, who, "/parked/cause/retry", reason="all of them", **good | more)
        assert (answer.status_code, "One goes first" in answer.text) == (409, True), answer.text

    refused(vouched="")
    refused(fingerprint="ValueError elsewhere")
    eventually(lambda: posted(house, "another@chobo.example", "/parked/cause/retry", reason="").status_code == 422)
    refused("another@chobo.example")
    alone = posted(house, OPERATOR, f"/parked/{ids[1]}/retry", reason="alone", attempts="1")
    eventually(lambda: len(parked(house)) == 1)
    refused(canary=httpx.URL(alone.headers["location"]).params["operation"])
    with monkeypatch.context() as patch:
        patch.setattr("sagas.dashboard.parked_bulk.GOOD_FOR", timedelta(0))
        refused()
    assert len(parked(house)) == 1
    assert posted(house, OPERATOR, "/parked/cause/retry", reason="all of them", **good).status_code == 303
    eventually(lambda: parked(house) == [])
    assert [row["parameters"] for row in audited(house) if row["reason"] == "all of them"] == [{"attempts": 1}] * 3


def test_one_that_is_refused_keeps_none_of_the_others_from_being_retried(
    house: House, mistake: Bug, monkeypatch: pytest.MonkeyPatch
):
    ids = drafts(house, 11)
    mistake.there = False
    first = {"reason": "mended", "id": ids[0], "attempts": "1", "fingerprint": CAUSE}
    query = httpx.URL(posted(house, OPERATOR, "/parked/cause/canary", **first).headers["location"]).params
    eventually(lambda: len(parked(house)) == 10)
    post = InProcess.post

    async def refusing(self: InProcess, asked: Asked) -> Answered:
        refused = asked.path == f"/v1/parked/{ids[1]}/retry"
        return Answered(422, {"title": "not this one"}) if refused else await post(self, asked)

    with monkeypatch.context() as patch:
        patch.setattr(InProcess, "post", refusing)
        answer = posted(
            house, OPERATOR, "/parked/cause/retry", reason="all", canary=query["operation"], vouched=query["vouched"],
            fingerprint=CAUSE, ids=packed([Seen(UUID(id), 1) for id in ids[1:]]),
        )  # fmt: skip
    assert (answer.status_code, "9 of 10 were asked for, 1 were refused" in answer.text) == (422, True)
    there = re.search(r'<a href="/dashboard([^"]+)">What came of those', answer.text)
    assert there
    cookies = signed_in(house, OPERATOR)
    page = httpx.get(f"{house.address}/dashboard{unescape(there[1])}", cookies=cookies).text
    assert "What came of 9 retries" in page
    eventually(lambda: [str(row["id"]) for row in parked(house)] == [ids[1]])
    posted(house, OPERATOR, f"/parked/{ids[1]}/retry", reason="tidy up", attempts="1")
    eventually(lambda: parked(house) == [])


def test_what_is_to_be_typed_the_form_does_not_decide(house: House, mistake: Bug):
    [id] = drafts(house, 1)
    event = str(parked(house)[0]["event_id"])
    for fields in ({"event-type": "", "confirm": ""}, {"event-type": "x", "confirm": "x"}):
        answer = posted(house, OPERATOR, f"/parked/{id}/discard", reason="x", event=event, **fields)
        assert (answer.status_code, "It was not confirmed" in answer.text) == (422, True)
    other = {"event": str(new_id()), "confirm": "orders.order-drafted"}
    answer = posted(house, OPERATOR, f"/parked/{id}/discard", reason="x", **other)
    assert (answer.status_code, "It has moved on" in answer.text) == (412, True)
    assert len(parked(house)) == 1
    mistake.there = False
    posted(house, OPERATOR, f"/parked/{id}/retry", reason="tidy up", attempts="1")
    eventually(lambda: parked(house) == [])


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone_and_is_readable_without_javascript(
    house: House, mistake: Bug, visitors: Any, scheme: str
):
    ids = drafts(house, 1)
    visitor: Visitor = visitors(
        viewport={"width": 320, "height": 700}, color_scheme=scheme, java_script_enabled=False
    ).sign_in()  # fmt: skip
    for path in ("/parked", f"/parked/cause?fingerprint={CAUSE}", f"/parked/{ids[0]}?dry-run=yes"):
        visitor.go(path)
        assert CAUSE in visitor.text()
        assert visitor.wide() == 320
    mistake.there = False
    posted(house, OPERATOR, f"/parked/{ids[0]}/retry", reason="tidy up", attempts="1")
    eventually(lambda: parked(house) == [])
