"""Events of all logs and aggregates through time: found by the address, personal fields sealed unless opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from domain.ids import new_id
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, STAFF, House, opened
from tests.sagas.dashboard.parking import audited
from tests.sagas.dashboard.test_frame import signed_in
from tests.sagas.dashboard.test_parked_pages import posted

NAME = "<script>alert(1)</script>"
SHOW = "personal.show"


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        house.place("done", "pm_card_visa", "ENDED")
        yield house


@pytest.fixture(scope="module")
def customer(house: House) -> str:
    """Somebody whose name is a script."""
    person = {"email": "mallory@example.com", "password": "correct horse", "name": NAME}
    return str(house.ask("/v1/users", person)["id"])


def get(house: House, path: str, who: str = OPERATOR) -> httpx.Response:
    return httpx.get(f"{house.address}/dashboard{path}", cookies=signed_in(house, who))


def listed(house: House, query: str) -> list[tuple[str, int]]:
    """Context and position of the events on the page of this address."""
    answer = get(house, f"/events?{query}")
    assert answer.status_code == 200, answer.text
    return [(c, int(p)) for c, p in re.findall(r'<tr id="e-([a-z]+)-(\d+)"', answer.text)]


def stored(house: House, query: str) -> list[Any]:
    with psycopg.connect(house.database) as connection:
        return connection.execute(query).fetchall()


def test_events_are_found_by_the_address(house: House):
    [(stream, correlation, position)] = stored(
        house, "SELECT originator_id, correlation_id, notification_id FROM orders.stored_events WHERE topic ="
               " 'orders.order-placed'")  # fmt: skip
    everything = listed(house, "")
    assert len(everything) == 50
    assert {context for context, _ in everything} > {"orders", "sagas", "payments"}
    assert ("orders", position) in listed(house, f"stream={stream}")
    assert {context for context, _ in listed(house, f"stream={stream}")} == {"orders"}
    of_correlation = listed(house, f"correlation={correlation}")
    assert {context for context, _ in of_correlation} >= {"orders", "sagas", "payments", "products"}
    assert listed(house, "type=orders.order-placed") == [("orders", position)]
    assert listed(house, "context=orders&until=2020-01-01") == []
    assert len(listed(house, "context=orders&since=2020-01-01")) >= 2


def test_pages_follow_each_other_through_all_logs_without_loss(house: House):
    address = "/events"
    seen: list[str] = []
    for _ in range(20):
        text = get(house, address).text
        assert len(seen) < 2_000
        seen += re.findall(r'<tr id="e-([a-z]+-\d+)"', text)
        later = re.search(r'rel="next" href="/dashboard([^"]+)"', text)
        if later is None:
            break
        address = later[1].replace("&amp;", "&")
    names = ["users", "products", "orders", "payments", "sagas", "notifications", "operations"]
    count = sum(stored(house, f"SELECT count(*) FROM {name}.stored_events")[0][0] for name in names)
    assert len(seen) == len(set(seen))
    assert len(seen) >= count - 25  # those of signing in and out meanwhile


def test_a_rare_type_is_looked_for_a_stretch_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sagas.dashboard.event_list.LOOKED_AT", 3)
    text = get(house, "/events?type=users.user-registered").text
    for _ in range(50):
        if "Look further back" not in text:
            break
        address = re.search(r'rel="next" href="/dashboard([^"]+)"', text)
        assert address
        text = get(house, address[1].replace("&amp;", "&")).text
        if "e-users-1" in text:
            return
    raise AssertionError("it was not found")


@pytest.mark.parametrize(
    "path, status",
    [("/events?context=carts", 400), ("/events?stream=x", 400), ("/events?since=soon", 400),
     ("/events?before=orders:x", 400), ("/events/orders/999999", 404), ("/events/carts/1", 404),
     ("/events/orders/x", 404), ("/aggregates/orders/x", 400),
     (f"/aggregates/orders/{UUID(int=1)}", 404)],
)  # fmt: skip
def test_what_there_is_not_is_refused_and_said(house: House, path: str, status: int):
    assert get(house, path).status_code == status


def test_staff_see_personal_fields_sealed_and_cannot_open_them(house: House, customer: str):
    for path in (f"/aggregates/users/{customer}?at=1", f"/events?stream={customer}"):
        text = get(house, path, STAFF).text
        assert "mallory" not in text
        assert "script&gt;" not in text
    assert "(personal, sealed)" in get(house, f"/aggregates/users/{customer}?at=1", STAFF).text
    answer = posted(house, STAFF, f"/streams/{customer}/open", reason="let me", context="users")
    assert answer.status_code == 403
    eventually(lambda: any(r["kind"] == "personal.show" and r["status"] == "DENIED" for r in audited(house)))


def test_who_opens_them_says_why_and_only_they_see_that_one_stream(house: House, customer: str):
    answer = posted(house, OPERATOR, f"/streams/{customer}/open", reason="a complaint", context="users", at="1")
    there = answer.headers["location"].removeprefix("/dashboard")
    text = get(house, there).text
    assert "mallory@example.com" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert NAME not in text
    assert "mallory" not in get(house, there, STAFF).text
    other = str(house.ask("/v1/users", {"email": "b@example.com", "password": "correct horse", "name": "Bo Bee"})["id"])
    assert "b@example.com" not in get(house, there.replace(customer, other)).text
    asked = ("personal.show", customer, "a complaint")
    eventually(lambda: asked in {(row["kind"], row["target"], row["reason"]) for row in audited(house)})


def test_it_is_open_to_nobody_else_and_not_for_long(house: House, customer: str, monkeypatch: pytest.MonkeyPatch):
    house.hire("second@example.com", "operator")
    answer = posted(house, OPERATOR, f"/streams/{customer}/open", reason="a complaint", context="users", at="1")
    there = answer.headers["location"].removeprefix("/dashboard")
    eventually(lambda: get(house, "/", "second@example.com").status_code == 200)
    assert "mallory" not in get(house, there, "second@example.com").text
    assert "mallory" in get(house, there).text
    monkeypatch.setattr("sagas.dashboard.personal.OPEN_FOR", timedelta(0))
    assert "mallory" not in get(house, there).text


def test_the_cause_of_an_event_is_looked_for_as_far_as_is_said(house: House, monkeypatch: pytest.MonkeyPatch):
    [(context, position, cause)] = stored(
        house,
        "SELECT 'payments', e.notification_id, c.notification_id FROM payments.stored_events e"
        " JOIN payments.stored_events c ON c.event_id = e.causation_id ORDER BY e.notification_id DESC LIMIT 1",
    )
    monkeypatch.setattr("sagas.dashboard.event_pages.STRETCH", 1)
    assert f'href="/dashboard/events/{context}/{cause}"' in get(house, f"/events/{context}/{position}").text
    monkeypatch.setattr("sagas.dashboard.event_pages.MOST_OF_ONE", 0)
    assert "not among the newest 0 events" in get(house, f"/events/{context}/{position}").text


def test_an_aggregate_is_shown_up_to_the_event_that_cannot_be_read(house: House):
    house.place("odd", "pm_card_visa", "ENDED")
    order = house.orders["odd"]
    with psycopg.connect(house.database) as connection:
        connection.execute("ALTER TABLE orders.stored_events DISABLE TRIGGER USER")
        connection.execute(
            "UPDATE orders.stored_events SET topic = 'orders.unheard-of' WHERE (originator_id, originator_version)"
            " = (%s, 2)",
            [order],
        )
        connection.execute("ALTER TABLE orders.stored_events ENABLE TRIGGER USER")
    for query in ("", "?at=2", "?at=3", "?at=1"):
        answer = get(house, f"/aggregates/orders/{order}{query}")
        assert (answer.status_code, "Version 1 of" in answer.text, 'type="range"' in answer.text) == (200, True, True)
        assert ("version 2 (position" in answer.text) == (query != "?at=1")


def test_what_was_refused_opens_nothing(house: House, customer: str):
    assert posted(house, STAFF, f"/streams/{customer}/open", reason="let me", context="users").status_code == 403
    assert posted(house, OPERATOR, f"/streams/{customer}/open", reason="", context="users").status_code == 422

    def denied() -> list[str]:
        denials = (r for r in audited(house) if (r["status"], r["kind"], r["target"]) == ("DENIED", SHOW, customer))
        return [str(row["id"]) for row in denials]

    eventually(lambda: len(denied()) >= 2)
    for id in denied():
        answer = get(house, f"/aggregates/users/{customer}?at=1&personal={id}")
        assert (answer.status_code, "mallory" in answer.text) == (200, False)


def test_an_operation_of_another_kind_opens_nothing(house: House, customer: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sagas.dashboard.personal.OPEN_FOR", timedelta(days=9))
    started = posted(house, OPERATOR, "/models/users/start", reason="a look").headers["location"]
    operation = started.partition("operation=")[2]
    assert "mallory" not in get(house, f"/aggregates/users/{customer}?at=1&personal={operation}").text
    by_another = house.ask(f"/v1/streams/{customer}/show-personal", {"reason": "another's"})["id"]
    assert "mallory" not in get(house, f"/aggregates/users/{customer}?at=1&personal={by_another}").text
    opened = posted(house, OPERATOR, f"/streams/{customer}/open", reason="mine", context="users", at="1")
    there = opened.headers["location"].removeprefix("/dashboard")
    assert "mallory" in get(house, there).text
    monkeypatch.setattr("sagas.dashboard.personal.OPEN_FOR", timedelta(microseconds=1))
    assert "mallory" not in get(house, there).text  # since when it is open the log says, not the id


# -- while somebody looks ----------------------------------------------------------------------------------------------


def registered(house: House, count: int = 1) -> list[str]:
    people = [{"email": f"{new_id()}@example.org", "password": "long enough", "name": "Bo Bee"} for _ in range(count)]
    return [str(house.ask("/v1/users", person)["id"]) for person in people]


def hidden(visitor: Visitor, *, hidden: bool) -> None:
    """As if another window lay before it."""
    visitor.page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def top(page: Any) -> float:
    """Where the rows begin."""
    return float(page.locator("tbody").bounding_box()["y"])


@pytest.mark.requires("browser")
def test_what_is_new_is_announced_where_nothing_moves_and_shown_on_request(house: House, operator: Visitor):
    page: Any = operator.page
    operator.go("/events?type=users.user-registered")
    page.locator("[data-live]").get_by_text("Live").wait_for()
    rows, place = [row.get_attribute("id") for row in page.locator("tbody tr").all()], top(page)
    registered(house, 2)
    page.locator("#news a").get_by_text("2 new: show them").wait_for()
    assert [row.get_attribute("id") for row in page.locator("tbody tr").all()] == rows
    assert top(page) == place
    assert operator.axe() == []
    page.locator("#news a").click()
    page.wait_for_url("**/events?type=users.user-registered")
    page.locator("[data-live]").get_by_text("Live").wait_for()
    now = [row.get_attribute("id") for row in page.locator("tbody tr").all()]
    assert now[2:] == rows[:48]
    assert page.locator("#news a").count() == 0


@pytest.mark.requires("browser")
def test_it_pauses_when_it_cannot_be_seen_and_goes_on_from_where_it_was(house: House, operator: Visitor):
    page: Any = operator.page
    asked: list[str | None] = []
    page.on("request", lambda r: asked.append(r.headers.get("last-event-id")) if "/newer?" in r.url else None)
    operator.go("/events?context=users&type=users.user-registered")
    page.locator("[data-live]").get_by_text("Live").wait_for()
    registered(house)
    page.locator("#news a").get_by_text("1 new: show it").wait_for()
    hidden(operator, hidden=True)
    page.locator("[data-live]").get_by_text("Paused").wait_for()
    registered(house, 2)
    eventually(lambda: len(listed(house, "type=users.user-registered")) > 3)
    assert "1 new" in page.locator("#news").inner_text()
    hidden(operator, hidden=False)
    page.locator("#news a").get_by_text("3 new: show them").wait_for()
    assert len(asked) == 2
    assert asked[1] is not None
    assert asked[1].startswith("users:")


def test_only_a_first_page_without_an_end_goes_on(house: House):
    assert "hx-sse:connect" in get(house, "/events?context=orders").text
    assert "hx-sse:connect" not in get(house, "/events?until=2020-01-01").text
    assert "hx-sse:connect" not in get(house, "/events?before=orders:2").text
    for query in ("first=carts:1", "first=orders:x", "context=orders&first=users:1"):
        assert get(house, f"/events/newer?{query}").status_code == 400


def test_only_what_was_asked_for_is_announced(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sagas.dashboard.live.ALIVE", 1.0)  # so soon it is known that nothing was said
    quiet, busy = [waits_at(house, q) for q in (f"stream={house.orders['done']}", "type=users.user-registered")]
    registered(house)
    assert counted(house, quiet) == ""
    assert "1 new" in counted(house, busy)


def waits_at(house: House, query: str) -> str:
    """The address that a list waits at for what is new."""
    found = re.search(r'hx-sse:connect="/dashboard(/events/newer[^"]+)"', get(house, f"/events?{query}").text)
    assert found
    return found[1].replace("&amp;", "&")


def counted(house: House, path: str) -> str:
    """What is said first; nothing where nothing is said while logs go on."""
    with httpx.stream("GET", f"{house.address}/dashboard{path}", cookies=signed_in(house, OPERATOR)) as answer:
        assert answer.status_code == 200
        said = ""
        for line in answer.iter_lines():
            said += line.removeprefix("data: ") if line.startswith("data: ") else ""
            if said or line == ":":
                return said
    raise AssertionError("it ended")


@pytest.mark.requires("browser")
def test_an_aggregate_is_gone_through_version_by_version(house: House, operator: Visitor):
    page: Any = operator.page
    operator.go(f"/aggregates/orders/{house.orders['done']}")
    last = int(page.locator(".versions a[aria-current]").inner_text())
    assert last > 1
    assert operator.axe() == []
    page.get_by_role("link", name="First").click()
    assert page.url.endswith("?at=1")
    assert "PLACED" in page.locator(".changes").inner_text()
    page.get_by_role("link", name="On", exact=True).click()
    page.wait_for_url("**?at=2")
    row = page.locator(".changes tr", has=page.get_by_role("rowheader", name="status", exact=True))
    assert row.inner_text().split() == ["status", "PLACED", "CONFIRMED"]
    page.locator("input[type=range]").focus()
    page.keyboard.press("ArrowLeft")  # it goes where it is moved to
    page.wait_for_url("**?at=1*")
    page.fill("[name=since]", "0")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**since=0")
    assert "What changed since version 0" in operator.text()


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone_and_is_readable_without_javascript(house: House, visitors: Any, scheme: str):
    visitor: Visitor = visitors(viewport={"width": 320, "height": 700}, color_scheme=scheme).sign_in()
    plain: Visitor = visitors(java_script_enabled=False).sign_in()
    order = house.orders["done"]
    for path in ("/events", f"/aggregates/orders/{order}", "/events/orders/1"):
        visitor.go(path)
        assert visitor.axe() == []
        assert visitor.wide() <= 320
        plain.go(path)
        assert "orders" in plain.text()
    plain.go(f"/aggregates/orders/{order}?at=1")
    plain.page.get_by_role("link", name="On", exact=True).click()
    assert "CONFIRMED" in plain.text()
