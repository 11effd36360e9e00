"""People: found by address or id, masked by role; admins grant and revoke, by the rules that decide; all is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from domain.ids import new_id
from projections.users.queries import USERS
from sagas.dashboard import people_pages
from sagas.dashboard.lists import Timed
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import CUSTOMER, OPERATOR, STAFF, House, opened
from tests.sagas.dashboard.test_acting import Desk, said
from tests.sagas.dashboard.test_frame import signed_in

SECOND = "second.admin@chobo.example"
PLAIN = "operator.only@chobo.example"
NAME = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        house.hire(SECOND, "staff", "admin")
        house.hire(PLAIN, "operator")
        eventually(lambda: row_of(house, PLAIN)[1] == ["customer", "operator"])
        yield house


def row_of(house: House, email: str) -> tuple[str, list[str], int]:
    with psycopg.connect(house.database) as connection:
        query = "SELECT id::text, roles, version FROM reads.users WHERE email = %s"
        return connection.execute(query, [email]).fetchone() or ("", [], 0)


def id_of(house: House, email: str) -> str:
    return row_of(house, email)[0]


def get(house: House, path: str, who: str = OPERATOR) -> httpx.Response:
    return httpx.get(f"{house.address}/dashboard{path}", cookies=signed_in(house, who))


def shown(house: House, path: str, who: str = OPERATOR) -> str:
    answer = get(house, path, who)
    assert answer.status_code == 200, answer.text
    return answer.text


def decide(house: House, email: str, verb: str, role: str, *, who: str = OPERATOR, **form: Any) -> httpx.Response:
    id, _, version = row_of(house, email)
    sent: dict[str, Any] = {"role": role, "version": version, "reason": "a test", "confirm": role} | form
    return Desk(house, who).post(f"people/{id}/{verb}", **sent)


def denied(house: House, target: str) -> list[tuple[str, str]]:
    with psycopg.connect(house.database) as connection:
        query = "SELECT kind, explanation FROM reads.operations WHERE target = %s AND status = 'DENIED'"
        return connection.execute(query, [target]).fetchall()


def listed(house: House, query: str) -> list[str]:
    return re.findall(r'<tr id="u-([^"]+)"', shown(house, f"/people?{query}"))


def test_who_works_here_is_listed_and_filtered_by_the_address(house: House):
    everybody_here = {id_of(house, email) for email in (OPERATOR, STAFF, SECOND, PLAIN)}
    assert set(listed(house, "")) == everybody_here
    assert set(listed(house, "role=admin")) == {id_of(house, OPERATOR), id_of(house, SECOND)}
    assert id_of(house, CUSTOMER) in listed(house, "role=everybody&status=active")
    assert listed(house, "role=staff&status=suspended") == []
    for query in ("role=king", "status=odd", "after=x"):
        assert get(house, f"/people?{query}").status_code == 400


def test_the_lists_are_found_by_an_index(house: House):
    query = "EXPLAIN SELECT 1 FROM reads.users t WHERE t.roles && %s ORDER BY t.created_at DESC, t.id DESC LIMIT 51"
    with psycopg.connect(house.database) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = "\n".join(line for (line,) in connection.execute(query, [["staff", "admin"]]).fetchall())
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("spelt", [STAFF, STAFF.upper(), f" {STAFF} "])
def test_an_account_is_found_by_its_address_or_its_id(house: House, spelt: str):
    id = id_of(house, STAFF)
    answer = Desk(house).post("people/find", q=spelt)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dashboard/people/{id}")
    assert get(house, f"/people?q={id}").headers["location"] == f"/dashboard/people/{id}"


@pytest.mark.parametrize(
    "path, status",
    [("/people?q=x", 400), ("/people/x", 400), (f"/people/{new_id()}", 404)],
)
def test_whom_there_is_not_is_said(house: House, path: str, status: int):
    assert get(house, path).status_code == status


@pytest.mark.parametrize("sought, status", [("nobody@example.org", 404), ("@", 400), ("x", 400), ("", 400)])
def test_whom_nobody_is_found_by_is_said_and_no_address_gets_into_an_address(house: House, sought: str, status: int):
    answer = Desk(house, STAFF).post("people/find", q=sought)
    assert (answer.status_code, '<nav aria-label="Pages">' in answer.text) == (status, True)
    page = get(house, "/people").text
    assert 'action="/dashboard/people/find"' in page
    assert get(house, "/people?q=nobody@example.org").status_code == 400


def test_a_customer_is_masked_for_everybody_until_an_operator_opens_them_with_a_reason(house: House):
    person = {"email": "mallory@example.com", "password": "correct horse", "name": NAME}
    id = str(house.ask("/v1/users", person)["id"])
    eventually(lambda: row_of(house, "mallory@example.com")[0] == id)
    for who in (STAFF, OPERATOR):
        for path in (f"/people/{id}", "/people?role=everybody"):
            text = shown(house, path, who)
            assert "m…@example.com" in text
            assert "mallory" not in text
            assert "script&gt;" not in text
    assert said(Desk(house, STAFF).post(f"streams/{id}/open", reason="x", place="person"))[0] == 403
    answer = Desk(house).post(f"streams/{id}/open", reason="a call", context="users", place="person")
    there = answer.headers["location"].removeprefix("/dashboard")
    assert there.startswith(f"/people/{id}?personal=")
    text = shown(house, there)
    assert "mallory@example.com" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert NAME not in text
    assert "mallory" not in shown(house, there, STAFF)


def test_a_role_is_granted_and_revoked_by_a_command_and_it_is_kept_by_whom_and_why(house: House):
    id = id_of(house, STAFF)
    answer = decide(house, STAFF, "grant", "operator", reason="She looks after parked events")
    assert answer.status_code == 303, answer.text
    text = shown(house, answer.headers["location"].removeprefix("/dashboard"))
    assert "Done: granted operator" in text
    assert text.count("She looks after parked events") == 2
    eventually(lambda: row_of(house, STAFF)[1] == ["customer", "operator", "staff"])
    assert "by operator@chobo.example" in re.sub(r"<[^>]+>", "", shown(house, "/people"))
    answer = decide(house, STAFF, "revoke", "operator", reason="no more")
    assert answer.status_code == 303
    eventually(lambda: row_of(house, STAFF)[1] == ["customer", "staff"])
    [granted, revoked] = stored(house, id)
    assert granted[:2] == ("users.role-granted", "operator")
    assert revoked[:2] == ("users.role-revoked", "operator")
    assert all("sealed" in state for *_, state in (granted, revoked)), "what was said about a person is sealed"
    assert "no more" not in shown(house, f"/people/{id}", STAFF), "only who may act reads why"


def stored(house: House, id: str) -> list[Any]:
    with psycopg.connect(house.database) as connection:
        query = """
            SELECT topic, convert_from(state, 'UTF8')::json ->> 'role', convert_from(state, 'UTF8')
            FROM users.stored_events WHERE originator_id = %s AND topic LIKE 'users.role%%'
            ORDER BY originator_version DESC LIMIT 2
        """
        return connection.execute(query, [id]).fetchall()[::-1]


def test_who_is_no_admin_sees_no_form_and_is_refused_and_that_is_kept(house: House):
    id = id_of(house, CUSTOMER)
    for who in (STAFF, PLAIN):
        text = shown(house, f"/people/{id}", who)
        assert text.count("it takes an admin") == 3
        assert f'action="/dashboard/people/{id}' not in text
    assert said(decide(house, CUSTOMER, "grant", "staff", who=PLAIN)) == (403, "You may not do that")
    eventually(lambda: ("user.grant-role", "needs the scope users:roles") in denied(house, id))


def test_nobody_takes_a_role_from_themselves_so_the_last_admin_stays(house: House):
    id = id_of(house, OPERATOR)
    text = shown(house, f"/people/{id}")
    assert "you cannot revoke your own role admin: another admin must" in text
    assert said(decide(house, OPERATOR, "revoke", "admin")) == (409, "That was refused")
    eventually(
        lambda: any("another admin must" in why for kind, why in denied(house, id) if kind == "user.revoke-role")
    )
    assert "admin" in row_of(house, OPERATOR)[1]


def test_what_has_changed_meanwhile_is_not_decided_on(house: House):
    version = row_of(house, STAFF)[2]
    answer = decide(house, STAFF, "grant", "operator", version=version - 1)
    assert said(answer) == (412, "It has moved on since you looked")
    assert "operator" not in row_of(house, STAFF)[1]


@pytest.mark.parametrize(
    "form, status, title",
    [({"reason": " "}, 422, "It needs a reason"), ({"confirm": "yes"}, 422, "It was not confirmed"),
     ({"role": "king"}, 422, "There is no such role"), ({"version": "x"}, 400, "This form is not complete")],
)  # fmt: skip
def test_a_form_that_is_not_complete_is_refused_and_that_is_kept(
    house: House, form: dict[str, str], status: int, title: str
):
    sent = {"role": "admin"} | form
    assert said(decide(house, STAFF, "grant", sent.pop("role"), **sent)) == (status, title)
    kept = ("user.grant-role", title)
    eventually(lambda: kept in {(k, why[: len(title)]) for k, why in denied(house, id_of(house, STAFF))})


def test_of_what_cannot_be_read_nothing_is_guessed_and_the_list_goes_on(house: House):
    house.hire("odd@chobo.example", "staff")
    eventually(lambda: row_of(house, "odd@chobo.example")[1] == ["customer", "staff"])
    id = id_of(house, "odd@chobo.example")
    with psycopg.connect(house.database) as connection:
        odd = "UPDATE users.stored_events SET topic = 'users.role-lent' WHERE originator_id = %s AND topic = %s"
        connection.execute(odd, [id, "users.role-granted"])
    assert said(get(house, f"/people/{id}")) == (409, "This account cannot be told")
    assert id in listed(house, "role=staff")


def test_pages_follow_each_other_and_lead_back(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(people_pages, "LIST", Timed(USERS, "created_at", "users", size=3))
    first = shown(house, "/people")
    older = re.search(r'rel="next" href="/dashboard([^"]+)"', first)
    assert older
    second = shown(house, older[1].replace("&amp;", "&"))
    newer = re.search(r'rel="prev" href="/dashboard([^"]+)"', second)
    assert newer
    assert shown(house, newer[1].replace("&amp;", "&")).count('<tr id="u-') == 3


@pytest.mark.requires("browser")
def test_an_admin_grants_and_revokes_by_keyboard(operator: Visitor, house: House):
    house.hire("new@chobo.example")
    eventually(lambda: row_of(house, "new@chobo.example")[2] > 1)
    page: Any = operator.page
    operator.go("/people")
    page.locator("[name=q]").focus()
    page.keyboard.type("new@chobo.example")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/people/{id_of(house, 'new@chobo.example')}")
    assert operator.axe() == []
    page.locator("#grant-operator summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("from today")
    page.keyboard.press("Tab")
    page.keyboard.type("operator")
    page.keyboard.press("Enter")
    page.get_by_text("Done: granted operator").wait_for()
    assert operator.axe() == []
    page.locator("#revoke-operator summary").click()
    page.locator("#why-revoke-operator").fill("not any more")
    page.locator("#confirm-revoke-operator").fill("operator")
    page.get_by_role("button", name="Revoke operator").click()
    page.get_by_text("Done: revoked operator").wait_for()


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone_and_is_readable_without_javascript(house: House, visitors: Any, scheme: str):
    visitor: Visitor = visitors(viewport={"width": 320, "height": 700}, color_scheme=scheme).sign_in()
    plain: Visitor = visitors(java_script_enabled=False).sign_in()
    for path in ("/people", f"/people/{id_of(house, OPERATOR)}", f"/people/{id_of(house, SECOND)}"):
        visitor.go(path)
        for box in visitor.page.locator("details").all():
            box.evaluate("box => box.open = true")
        assert visitor.axe() == []
        assert visitor.wide() <= 320, path
        plain.go(path)
        assert "admin" in plain.text()
