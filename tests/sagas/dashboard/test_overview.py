"""The overview: what needs a person comes first, with a way to it; then how the shop does, drawn and in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from sagas.dashboard.charts import Chart, Series, nice, whole
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, House, opened
from tests.sagas.dashboard.parking import Bug, bug, drafts
from tests.sagas.dashboard.test_frame import signed_in

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
UNMATCHED = "{} <script>alert(1)</script>"


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        house.place("done", "pm_card_visa", "ENDED")
        yield house


@pytest.fixture
def mistake() -> Iterator[Bug]:
    with bug() as found:
        yield found


def get(house: House, path: str) -> httpx.Response:
    return httpx.get(f"{house.address}/dashboard{path}", cookies=signed_in(house, OPERATOR))


def test_when_all_is_well_it_says_so(house: House):
    assert "Nothing needs a person" in get(house, "/").text


def test_a_consumer_that_has_stopped_is_named_with_the_reason_and_one_odd_row_hides_nothing(house: House):
    with psycopg.connect(house.database) as connection:
        connection.execute(
            "INSERT INTO projections.checkpoints (consumer, context, incarnation, status, reason)"
            " VALUES ('mirror', 'orders', uuidv7(), 'STOPPED', 'it met another incarnation')"
        )
        connection.execute(
            "INSERT INTO reads.operations (id, version, updated_at, status, kind, target, parameters, actor,"
            " correlation_id, requested_at) VALUES (uuidv7(), 1, now(), 'FAILED', 'replay.start', 'orders', '[]', 'x',"
            " 'x', now())"
        )
    try:
        eventually(lambda: "mirror of orders: it met another incarnation" in get(house, "/").text)
        assert "unreadable" in get(house, "/audit").text
    finally:
        with psycopg.connect(house.database) as connection:
            connection.execute("DELETE FROM projections.checkpoints WHERE consumer = 'mirror'")
            connection.execute("DELETE FROM reads.operations WHERE target = 'orders'")


def test_a_window_that_there_is_not_is_refused(house: House):
    answer = get(house, "/?window=2y")
    assert (answer.status_code, "15m, 1h, 6h, 1d" in answer.text) == (400, True)


@pytest.mark.requires("browser")
def test_what_needs_a_person_comes_by_itself_and_leads_to_where_one_acts(house: House, mistake: Bug, operator: Visitor):
    page: Any = operator.page
    operator.go("/")
    page.get_by_text("Nothing needs a person").wait_for()  # what was looked up for others is forgotten soon
    drafts(house, 2)
    unmatched(house)
    page.locator(".needs", has_text="Parked sequences").wait_for(timeout=60_000)  # a lost connection is made again
    page.locator("#webhooks").wait_for()
    assert "<script>alert(1)</script>" in page.locator("section", has=page.locator("#webhooks")).inner_text()
    assert operator.axe() == []
    row = page.locator(".needs li", has_text="Parked sequences")
    assert row.locator(".count").inner_text() == "2"
    row.locator("a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/parked")
    assert "ZeroDivisionError" in operator.text()


def unmatched(house: House) -> None:
    """A webhook that is about no payment, as its projector writes it."""
    with psycopg.connect(house.database) as connection:
        connection.execute(
            "INSERT INTO reads.unmatched_webhooks (id, version, updated_at, gateway, hook_id, type, reference,"
            " happened_at, created_at) VALUES (uuidv7(), 1, now(), 'stripe', 'evt_1', 'charge.odd', %s, now(), now())",
            [UNMATCHED],
        )


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_are_drawn_with_their_numbers_beside_and_fit_a_small_phone(house: House, visitors: Any, scheme: str):
    visitor: Visitor = visitors(viewport={"width": 320, "height": 700}, color_scheme=scheme).sign_in()
    visitor.go("/?window=15m")
    page: Any = visitor.page
    assert page.locator(".plot rect").count() >= 1
    assert "orders" in str(page.locator(".plot svg").first.get_attribute("aria-label"))
    page.locator("#numbers-bars summary").click()
    assert page.locator("#numbers-bars tbody tr").count() == 60
    assert visitor.axe() == []
    assert visitor.wide() <= 320


def test_without_javascript_everything_is_there(house: House):
    eventually(lambda: "orders@1" in get(house, "/").text)
    text = get(house, "/").text
    assert all(word in text for word in ("Orders a minute", "Checkout, from placing to its end", "Over p95", "Lag"))


# -- charts ------------------------------------------------------------------------------------------------------------


def chart(kind: str, *values: float | None) -> Chart:
    starts = [NOON + timedelta(minutes=n) for n in range(len(values))]
    return Chart("Orders", kind, starts, [Series("orders", "busy", values)], whole)


def test_a_scale_ends_at_a_round_number_that_is_high_enough():
    assert [nice(value) for value in (0, 0.3, 1, 1.1, 2.2, 7, 99, 101)] == [1, 0.5, 1, 2, 2.5, 10, 100, 200]


def test_bars_reach_from_their_value_to_the_ground():
    assert chart("bars", 5.0, 0.0, 10.0).bars(chart("bars", 5.0, 0.0, 10.0).series[0]) == [
        (24.0, 50.0, 152.0, 50.0),
        (424.0, 0.0, 152.0, 100.0),
    ]


def test_a_line_is_broken_where_nothing_is_known():
    drawn = chart("steps", 10.0, None, 5.0)
    assert drawn.path(drawn.series[0]) == "M0.0 0.0H200.0M400.0 50.0H600.0"
    assert [values for _, values in drawn.rows()] == [["5"], ["10"]]
    assert drawn.sentence == "Orders: orders 5; the scale ends at 10"
