"""Read models: a replay from its start to the switch, back and away; each step with a reason, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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

PRICE = {"amount": 500, "currency": "EUR"}


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        yield house


def standing(house: House, model: str) -> dict[int, str]:
    with psycopg.connect(house.database) as connection:
        query = "SELECT generation, status FROM projections.generations WHERE model = %s ORDER BY generation"
        return dict(connection.execute(query, [model]).fetchall())


def replay_of(house: House, model: str, generation: int) -> str:
    with psycopg.connect(house.database) as connection:
        query = "SELECT replay FROM projections.generations WHERE (model, generation) = (%s, %s)"
        row = connection.execute(query, [model, generation]).fetchone()
    assert row
    return str(row[0])


def become(house: House, model: str, generation: int, status: str) -> None:
    eventually(lambda: standing(house, model).get(generation) == status)


def act(visitor: Visitor, word: str, name: str | None, *, why: str, force: bool = False) -> None:
    """Opens what does it, says why, types the generation's name and sends it."""
    page: Any = visitor.page
    box = page.locator("details.doing").filter(has=page.get_by_text(f"{word} …", exact=True))
    box.locator("summary").click()
    box.locator("[name=reason]").fill(why)
    if name:
        box.locator("[name=confirm]").fill(name)
    if force:
        box.locator("[name=force]").check()
    box.get_by_role("button", name=word).click()
    page.wait_for_url("**?operation=**")


@pytest.mark.requires("browser")
def test_a_replay_from_start_to_switch_back_and_away(house: House, operator: Visitor):
    page: Any = operator.page
    operator.go("/models")
    page.get_by_role("link", name="users", exact=True).click()
    assert operator.axe() == []
    page.locator("form[action$='/start'] [name=reason]").fill("a new column")
    page.get_by_role("button", name="Start").click()
    page.locator("#asked .state.good").wait_for()  # by itself: the page is live
    page.locator("#g-2 .state", has_text="ready").wait_for()
    assert operator.axe() == []

    act(operator, "Lead readers here", "users@2", why="too early")
    page.locator("#asked .state.bad").wait_for()
    assert "was not compared with the live one" in operator.text()

    act(operator, "Compare", None, why="to be sure")
    page.locator("#asked .state.good").wait_for()
    page.locator("#g-2 .good-text", has_text="no difference").wait_for()
    act(operator, "Lead readers here", "users@2", why="it is the same")
    page.locator("#g-2 .state", has_text="live").wait_for()
    assert standing(house, "users") == {1: "KEPT", 2: "LIVE"}
    act(operator, "Lead readers back", "users@2", why="to be on the safe side")
    page.locator("#g-1 .state", has_text="live").wait_for()
    act(operator, "Drop", "users@2", why="it is not needed any more")
    become(house, "users", 2, "DROPPED")
    operator.go("/models/users?ended=yes")
    assert "thrown away, its tables are gone" in operator.text()
    assert [(row["kind"], row["status"], row["reason"]) for row in reversed(audited(house))] == [
        ("replay.start", "DONE", "a new column"),
        ("replay.switch", "FAILED", "too early"),
        ("replay.compare", "DONE", "to be sure"),
        ("replay.switch", "DONE", "it is the same"),
        ("replay.rollback", "DONE", "to be on the safe side"),
        ("replay.drop", "DONE", "it is not needed any more"),
    ]


@pytest.mark.requires("browser")
def test_what_is_typed_and_open_stays_while_the_page_goes_on_by_itself(house: House, operator: Visitor):
    page: Any = operator.page
    operator.go("/models/products")
    posted(house, OPERATOR, "/models/products/start", reason="something to look at")
    page.locator("#g-2 .state", has_text="ready").wait_for()
    box = page.locator("#cancel-2")
    box.locator("summary").click()
    box.locator("[name=reason]").fill("half a sen")
    house.ask("/v1/products", {"name": "Ink", "variants": [{"id": str(new_id()), "sku": "INK", "price": PRICE}]})
    page.locator("#g-1 dd", has_text=f"products {head(house)}").wait_for()
    assert box.locator("[name=reason]").input_value() == "half a sen"
    assert box.locator("button").is_visible()
    box.locator("[name=reason]").fill("looked at enough")
    box.locator("[name=confirm]").fill("products@2")
    box.get_by_role("button").click()
    become(house, "products", 2, "CANCELLED")


def head(house: House) -> str:
    with psycopg.connect(house.database) as connection:
        row = connection.execute("SELECT max(notification_id) FROM products.stored_events").fetchone()
    assert row
    return f"{row[0]:,}"


def test_who_may_only_look_is_denied_and_that_is_kept(house: House):
    replay = replay_of(house, "sales", 1)
    for path in ("start", f"{replay}/cancel"):
        answer = posted(house, STAFF, f"/models/sales/{path}", reason="let me", confirm="sales@1")
        assert (answer.status_code, "You may not do that" in answer.text) == (403, True)
    denied = {"replay.start", "replay.cancel"}
    eventually(lambda: {row["kind"] for row in audited(house) if row["status"] == "DENIED"} == denied)
    assert standing(house, "sales") == {1: "LIVE"}


def test_what_cannot_be_done_is_refused_and_says_why(house: House):
    live = replay_of(house, "sales", 1)
    cases = [
        ("/models/sales/start", {"reason": ""}, 422, "It needs a reason"),
        ("/models/sales/start", {"reason": "x", "until": "soon"}, 422, "neither a position as p1234 nor a time"),
        (
            f"/models/sales/{live}/drop",
            {"reason": "x", "name": "sales@1", "confirm": "sales"},
            422,
            "was not confirmed",
        ),
        (f"/models/sales/{live}/drop", {"reason": "x", "name": "", "confirm": ""}, 422, "was not confirmed"),
        (f"/models/sales/{live}/drop", {"reason": "x", "name": "x", "confirm": "x"}, 422, "was not confirmed"),
        (f"/models/users/{live}/drop", {"reason": "x", "confirm": "sales@1"}, 404, "no replay of users"),
        ("/models/sales/x/cancel", {"reason": "x", "name": "", "confirm": ""}, 400, "is no id of a replay"),
    ]
    for path, fields, status, said in cases:
        answer = posted(house, OPERATOR, path, **fields)
        assert (answer.status_code, said in answer.text) == (status, True), (path, answer.text)
    dropped = posted(house, OPERATOR, f"/models/sales/{live}/drop", reason="x", name="sales@1", confirm="sales@1")
    assert dropped.status_code == 303
    eventually(lambda: any("is what readers see" in (row["explanation"] or "") for row in audited(house)))
    nothing = httpx.get(f"{house.address}/dashboard/models/carts", cookies=signed_in(house, OPERATOR))
    assert (nothing.status_code, "There is no read model carts" in nothing.text) == (404, True)


def test_a_form_sent_twice_starts_one_replay(house: House):
    key = str(new_id())
    first, again = [posted(house, OPERATOR, "/models/orders/start", reason="a double click", key=key) for _ in range(2)]
    there = f"/dashboard/models/orders?operation={key}"
    assert first.headers["location"] == there
    assert (again.status_code, f'href="{there}"' in again.text) == (409, True)
    become(house, "orders", 2, "READY")
    assert standing(house, "orders") == {1: "LIVE", 2: "READY"}


def test_none_is_begun_while_another_is_on_its_way(house: House):
    assert standing(house, "orders")[2] == "READY"
    page = httpx.get(f"{house.address}/dashboard/models/orders", cookies=signed_in(house, OPERATOR)).text
    assert "Start one as of a moment" in page
    answer = posted(house, OPERATOR, "/models/orders/start", reason="one more")
    assert (answer.status_code, "orders@2 is: lead readers to it" in answer.text) == (409, True)
    assert standing(house, "orders") == {1: "LIVE", 2: "READY"}


def test_a_model_as_of_a_moment_is_built_and_says_where_it_is_read(house: House):
    answer = posted(house, OPERATOR, "/models/payments/start", reason="how it was", until="p0")
    assert answer.status_code == 303
    become(house, "payments", 2, "READY")
    page = httpx.get(f"{house.address}/dashboard/models/payments", cookies=signed_in(house, OPERATOR)).text
    assert "not followed any further" in page
    assert "payments_2" in page


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone(house: House, visitors: Any, scheme: str):
    visitor: Visitor = visitors(viewport={"width": 320, "height": 700}, color_scheme=scheme).sign_in()
    for path in ("/models", "/models/orders"):
        visitor.go(path)
        assert visitor.axe() == []
        assert visitor.wide() <= 320
