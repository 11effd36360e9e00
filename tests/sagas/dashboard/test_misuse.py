"""Misuse: each is refused with a clear message, changes nothing, and is in the audit log under who tried it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import uuid4

import httpx
import psycopg
import pytest

from domain.ids import new_id
from sagas.dashboard import guard
from sagas.dashboard.page import LOOK, Page
from sagas.dashboard.pages import PAGES
from sagas.dashboard.session import Over
from tests.eventually import eventually
from tests.sagas.dashboard.house import OPERATOR, STAFF, House
from tests.sagas.dashboard.test_acting import Desk, outcomes, said
from tests.sagas.dashboard.test_one_saga import page as page_of

SCRIPT: Final = "<script>alert(1)</script>"
FORMS: Final = [page for page in PAGES if page.method == "POST"]
FIELDS: Final = (
    "action", "attempts", "at", "canary", "confirm", "context", "event", "event-type", "fingerprint", "force", "id",
    "ids", "name", "pick", "place", "q", "reason", "role", "stage", "typed", "until", "version", "vouched",
)  # fmt: skip
"""Of all forms there are."""

each_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)


def filled(form: Page, **params: str) -> str:
    """The address of a form, with something in place of each of its parameters."""
    given = {"action": "pause", "model": "users"} | params

    def one(match: re.Match[str]) -> str:
        return given.get(match[1], "") or str(uuid4())

    return re.sub(r"\{(\w+)(?::\w+)?\}", one, form.path).lstrip("/")


Row = tuple[str, str, str, str]


def denials(house: House) -> list[Row]:
    """Actor, kind, target and why of all that was denied."""
    with psycopg.connect(house.database) as connection:
        query = "SELECT actor, kind, target, explanation FROM reads.operations WHERE status = 'DENIED'"
        return connection.execute(query).fetchall()


def actor(house: House, email: str) -> str:
    with psycopg.connect(house.database) as connection:
        row = connection.execute("SELECT id FROM reads.users WHERE email = %s", [email]).fetchone()
    assert row
    return f"user:{row[0]}"


def kept(house: House, who: str, kind: str, target: str, why: str) -> None:
    """It gets into the audit log."""
    eventually(lambda: any(row[:3] == (who, kind, target) and why in row[3] for row in denials(house)))


def kept_of(house: House, name: str, kind: str, why: str, email: str = OPERATOR) -> None:
    kept(house, actor(house, email), kind, house.saga(name), why)


def called(form: Page, path: str) -> tuple[str, str]:
    """How the audit log names a form that was refused, and what it was about."""
    last = path.split("/")[-2 if form.path.split("/")[-1].isalpha() else -1]
    if form.kind:
        return form.kind, last if "{" in form.path else f"/dashboard/{path}"
    return ("saga.pause", path.split("/")[1]) if "{action}" in form.path else ("dashboard.post", f"/dashboard/{path}")


# -- who is not to be trusted ------------------------------------------------------------------------------------------


@each_form
def test_a_forged_form_is_refused(house: House, form: Page):
    path, desk = filled(form), Desk(house)
    assert said(desk.post(path, csrf="guessed", reason="x")) == (403, "This form is not one of ours")
    kept(house, actor(house, OPERATOR), *called(form, path), "not one of the dashboard's own")


def test_a_form_of_another_site_is_refused_although_it_knows_the_token(house: House):
    desk = Desk(house)
    path = f"{house.address}/dashboard/sagas/{house.saga('stuck')}/act/pause"
    sent = {"csrf": desk.csrf, "key": str(uuid4()), "version": "1", "reason": "x"}
    answer = httpx.post(path, data=sent, cookies=desk.cookies, headers={"origin": "https://elsewhere.example"})
    assert said(answer) == (403, "This form is not one of ours")
    kept_of(house, "stuck", "saga.pause", "not one of the dashboard's own")


@each_form
def test_a_session_that_is_over_does_nothing(house: House, form: Page, monkeypatch: pytest.MonkeyPatch):
    path, desk = filled(form), Desk(house)
    found = guard.found
    monkeypatch.setattr(guard, "found", lambda request, desk: Over(found(request, desk)))  # type: ignore[arg-type]
    answer = desk.post(path, reason="x")
    assert (answer.status_code, "Your session is over. Nothing was done" in answer.text) == (401, True)
    kept(house, actor(house, OPERATOR), *called(form, path), "the session was over")


@each_form
def test_who_is_not_signed_in_does_nothing_and_the_form_is_named(house: House, form: Page):
    forged = {"chobo_dashboard": "x"}
    answer = httpx.post(f"{house.address}/dashboard/{filled(form)}", data={"csrf": "x"}, cookies=forged)
    assert (answer.status_code, "Nothing was done" in answer.text) == (401, True)
    kept(house, "anonymous", "dashboard.post", form.path, "nobody was signed in")


@pytest.mark.parametrize("form", [form for form in FORMS if form.needs != LOOK], ids=lambda form: form.path)
def test_staff_do_nothing(house: House, form: Page):
    path = filled(form)
    whole = {"reason": "let me", "version": "1", "attempts": "0", "event": str(uuid4()), "id": str(uuid4())}
    answer = Desk(house, STAFF).post(path, **whole)
    assert 400 <= answer.status_code < 500, answer.text
    eventually(lambda: any(row[0] == actor(house, STAFF) and about(row, form, path, whole) for row in denials(house)))


def about(row: Row, form: Page, path: str, sent: dict[str, str]) -> bool:
    kind, target = called(form, path)
    return row[1] == kind and row[2] in (target, sent["id"], "/v1/replays")


def test_staff_may_look_and_are_told_what_it_takes(house: House):
    desk = Desk(house, STAFF)
    assert said(desk.act("waiting", "resume")) == (403, "You may not do that")
    kept_of(house, "waiting", "saga.resume", "needs the scope sagas:act", STAFF)
    assert page_of(house, f"{house.saga('waiting')}/act/pause", STAFF).status_code == 403


# -- what has changed meanwhile ----------------------------------------------------------------------------------------


def test_who_has_looked_at_an_older_version_is_told_to_look_again(house: House):
    seen = house.look(house.saga("waiting"))
    assert seen
    answer = Desk(house).act("waiting", "pause", version=seen["version"] - 1)
    assert said(answer) == (412, "It has moved on since you looked")
    kept_of(house, "waiting", "saga.pause", "STALE_VERSION")


def test_of_two_operators_at_once_the_second_is_told(house: House):
    house.place_waiting("wanted by both")
    desks = [Desk(house), Desk(house)]
    seen = house.look(house.saga("wanted by both"))
    assert seen
    form = {"version": seen["version"], "reason": "both"}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda desk: desk.act("wanted by both", "pause", **form), desks))
    assert sorted(answer.status_code for answer in answers) == [303, 412]
    kept_of(house, "wanted by both", "saga.pause", "STALE_VERSION")
    after = house.look(house.saga("wanted by both"))
    assert after
    assert after["version"] == seen["version"] + 1


def test_what_is_not_possible_any_more_has_no_effect(house: House):
    assert said(Desk(house).act("done", "retry")) == (409, "It had no effect")
    kept_of(house, "done", "saga.retry", "it has ended as DONE")
    assert "it has ended as DONE" in page_of(house, f"{house.saga('done')}/act/retry").text


def test_of_a_selection_what_has_changed_meanwhile_is_left_alone(house: House):
    house.place_waiting("picked")
    desk, seen = Desk(house), house.look(house.saga("picked"))
    assert seen
    assert desk.act("picked", "pause").status_code == 303
    pick = f"{house.saga('picked')}~{seen['version']}"
    answer = desk.post("sagas/bulk/go", action="pause", pick=pick, reason="a test", typed="1")
    assert "It has moved on since you looked" in outcomes(desk, answer)
    kept_of(house, "picked", "saga.pause", "STALE_VERSION")


def test_a_role_that_was_decided_on_meanwhile_is_not_decided_on_again(house: House):
    id = actor(house, STAFF).removeprefix("user:")
    answer = Desk(house).post(f"people/{id}/revoke", role="staff", version=1, reason="x")
    assert said(answer) == (412, "It has moved on since you looked")
    kept(house, actor(house, OPERATOR), "user.revoke-role", id, "It has moved on")


@pytest.mark.parametrize("kind", ["saga.pause", "user.revoke-role", "dashboard.post", "replay.start"])
def test_the_audit_log_is_filtered_by_what_was_refused(house: House, kind: str):
    desk = Desk(house)
    desk.act("waiting", "pause", reason=" ")
    desk.post(f"people/{uuid4()}/revoke", role="king")
    desk.post("sagas/bulk/go")
    desk.post("models/users/start", reason=" ")
    eventually(lambda: 'id="a-' in desk.get(f"audit?status=DENIED&kind={kind}"))


# -- a double click ----------------------------------------------------------------------------------------------------


@pytest.fixture
def user(house: House) -> str:
    email = f"{new_id()}@example.org"
    id = house.ask("/v1/users", {"email": email, "password": "long enough", "name": "Somebody"})["id"]
    return str(id)


def twice(house: House, path: str, **form: str) -> httpx.Response:
    """The second answer; the first went well."""
    desk, key = Desk(house), str(new_id())
    first, second = [desk.post(path, key=key, reason="twice", **form) for _ in range(2)]
    assert first.status_code == 303, first.text
    assert said(second) == (409, "This was sent already")
    assert "Nothing was done twice" in second.text
    there = re.search(r'<a href="([^"]+)">What came of it</a>', second.text)
    assert there
    assert there[1].replace("&amp;", "&") == first.headers["location"]
    assert key in "".join(row[3] for row in denials_soon(house, key))
    return second


def denials_soon(house: House, key: str) -> list[Row]:
    eventually(lambda: any(key in row[3] for row in denials(house)))
    return [row for row in denials(house) if key in row[3]]


def test_a_form_that_was_sent_twice_is_done_once_and_it_is_said(house: House, user: str):
    twice(house, f"people/{user}/grant", role="staff", version="2")
    twice(house, f"streams/{user}/open", context="users", at="1")
    twice(house, "models/users/start")
    with psycopg.connect(house.database) as connection:
        query = "SELECT count(*) FROM users.stored_events WHERE originator_id = %s AND topic = 'users.role-granted'"
        assert connection.execute(query, [user]).fetchone() == (1,)
        query = "SELECT count(*) FROM reads.operations WHERE target = %s AND status <> 'DENIED'"
        eventually(lambda: connection.execute(query, [user]).fetchone() == (1,))


def test_what_was_refused_is_told_again_and_not_tried_again(house: House):
    desk, key = Desk(house), str(uuid4())
    seen = house.look(house.saga("done"))
    assert seen
    form = {"version": seen["version"], "reason": "twice", "key": key}
    assert said(desk.post(f"sagas/{house.saga('done')}/act/retry", **form)) == (409, "It had no effect")
    again = desk.post(f"sagas/{house.saga('done')}/act/retry", **form)
    assert said(again) == (409, "This was sent already")
    assert "it has ended as DONE" in again.text
    assert [row[1:3] for row in denials_soon(house, key)] == [("saga.retry", house.saga("done"))]


def test_many_that_were_sent_twice_are_done_once_each(house: House):
    house.place_waiting("twice")
    desk, seen, key = Desk(house), house.look(house.saga("twice")), str(uuid4())
    assert seen
    form = {"action": "pause", "pick": f"{house.saga('twice')}~{seen['version']}", "reason": "x", "typed": "1"}
    first, second = [desk.post("sagas/bulk/go", key=key, **form) for _ in range(2)]
    assert "Pause was done." in outcomes(desk, first)
    assert said(second) == (409, "This was sent already")
    assert first.headers["location"].replace("&", "&amp;") in second.text
    assert [row[1] for row in denials_soon(house, key)] == ["dashboard.post"]


# -- forms that are not as they should be ------------------------------------------------------------------------------


WAITING: Final = "sagas/{waiting}/act/"


@pytest.mark.parametrize(
    "path, form, status, title, kind",
    [
        (WAITING + "pause", {"reason": " "}, 422, "It takes a reason", "saga.pause"),
        (WAITING + "cancel", {"typed": "yes"}, 422, "It was not confirmed", "saga.cancel"),
        (WAITING + "dance", {}, 404, "There is no action dance", "saga.dance"),
        (WAITING + "\N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE}", {}, 404,
         "There is no action", "dashboard.post"),
        (WAITING + "pause", {"version": "newest"}, 400, "This form is not complete", "saga.pause"),
        (WAITING + "pause", {"key": "mine"}, 400, "This form is not complete", "saga.pause"),
        ("sagas/bulk/go", {"action": "dance", "pick": "x~1"}, 400, "There is no action dance", "dashboard.post"),
        ("sagas/bulk/go", {"action": "pause"}, 400, "Nothing was picked", "dashboard.post"),
        ("sagas/bulk/go", {"action": "pause", "pick": "x~1"}, 400, "This selection cannot be read", "dashboard.post"),
        ("models/users/start", {"reason": ""}, 422, "It needs a reason", "replay.start"),
        ("models/users/start", {"reason": "x" * 501}, 422, "It needs a reason", "replay.start"),
        ("models/users/start", {"until": "soon"}, 422, "As of when?", "replay.start"),
        ("models/users/x/compare", {}, 400, "That is no id", "replay.compare"),
        ("models/users/x/switch", {"name": "users@2", "confirm": "users@2"}, 400, "That is no id", "replay.switch"),
        ("parked/x/retry", {"attempts": "0"}, 400, "That is no id", "parked.retry"),
        ("parked/x/discard", {}, 400, "That is no id", "parked.discard"),
        ("parked/cause/retry", {"canary": "x"}, 400, "That is no id", "parked.retry"),
        ("streams/x/open", {}, 400, "That is no id", "personal.show"),
        ("people/x/grant", {"role": "staff", "version": "1"}, 400, "That is no id", "user.grant-role"),
        ("people/{waiting}/grant", {"role": "king", "version": "1"}, 422, "There is no such role", "user.grant-role"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_form_is_said_and_kept(
    house: House, path: str, form: dict[str, str], status: int, title: str, kind: str
):
    answer = Desk(house).post(path.format(waiting=house.saga("waiting")), **{"reason": "x", "version": "1"} | form)
    assert (answer.status_code, title in answer.text) == (status, True), answer.text
    eventually(lambda: any(row[1] == kind and title in row[3] for row in denials(house)))


@each_form
def test_a_script_in_any_field_is_refused_or_only_text(house: House, form: Page):
    desk = Desk(house)
    answer = desk.post(filled(form), key=SCRIPT, **dict.fromkeys(FIELDS, SCRIPT))
    assert answer.status_code < 500, answer.text
    assert SCRIPT not in answer.text
    assert SCRIPT not in desk.get("audit")


def test_every_field_that_a_form_has_was_tried_with_a_script():
    from sagas.dashboard.views import TEMPLATES

    sources = [TEMPLATES.loader.get_source(TEMPLATES, name)[0] for name in TEMPLATES.list_templates()]  # type: ignore[union-attr]
    posted = {
        name
        for source in sources
        for form in re.findall(r"form_start\(.*?</form>", source, re.DOTALL)
        for name in re.findall(r'name="([a-z-]+)"', form)
    }
    assert posted - {"csrf", "key", "theme"} <= set(FIELDS)
