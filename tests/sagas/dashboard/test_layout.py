"""Where things are on a page, measured in a browser: no rule of one page may move what another one has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest

from sagas.dashboard.pages import PAGES
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import House

WIDTHS: Final = (320, 1280)
REASON: Final = (
    "KeyError: 'a row for variant 0193b2a4-7c1e-7d3a-9a51-3f2f6b1c9f10 in currency EUR was expected here, and"
    " https://shop.example/catalogue/summer/2026/a-very-long-address-without-a-single-space-in-it-at-all was found'"
)
CAUSES: Final = {
    "KeyError orders orders.order-line-quantity-changed": 3,
    "ValidationError payments payments.payment-captured-by-the-gateway": 1,
    "UniqueViolation products products.variant-price-changed": 12,
}
PARK: Final = """
INSERT INTO projections.parked (id, consumer, context, sequence, slice, position, version, event_id, event_type,
    recorded_at, reason, fingerprint, waiting)
SELECT uuidv7(), 'orders@1', 'orders', uuidv7(), 1, 1, 1, uuidv7(), 'orders.order-line-quantity-changed', now(),
    %s, %s, 7
"""

OUTSIDE: Final = """() => [...document.querySelectorAll("main *")].filter(e => {
  if (e.closest("svg") && e.tagName.toLowerCase() !== "svg") return false;
  if (e.closest(".unseen, .stacked thead, .sagas thead")) return false;
  for (let up = e.parentElement; up && up.tagName !== "MAIN"; up = up.parentElement)
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(up).overflowX)) return false;
  const box = e.getBoundingClientRect();
  return box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5);
}).map(e => e.outerHTML.slice(0, 120))"""

LYING_ON_EACH_OTHER: Final = """cells => {
  const boxes = cells.map(cell => cell.getBoundingClientRect()).filter(box => box.width && box.height);
  return boxes.flatMap((a, n) => boxes.slice(n + 1).filter(b =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)).length;
}"""


@contextmanager
def parked(house: House) -> Iterator[None]:
    with psycopg.connect(house.database) as connection:
        for cause, count in CAUSES.items():
            for _ in range(count):
                connection.execute(PARK, [REASON, cause])
    try:
        yield
    finally:
        with psycopg.connect(house.database) as connection:
            connection.execute("DELETE FROM projections.parked WHERE fingerprint = ANY(%s)", [list(CAUSES)])


def wide(visitors: Any, width: int) -> Visitor:
    visitor: Visitor = visitors(viewport={"width": width, "height": 720})
    return visitor.sign_in()


@pytest.mark.requires("browser")
@pytest.mark.parametrize("width", WIDTHS)
def test_parked_causes_with_long_reasons_stay_inside_and_apart(visitors: Any, house: House, width: int):
    with parked(house):
        visitor = wide(visitors, width)
        visitor.go("/parked")
        page = visitor.page
        assert page.locator(".parked-causes tbody tr").count() == len(CAUSES)
        assert page.evaluate(OUTSIDE) == []
        table = page.locator(".parked-causes").bounding_box()
        assert table["x"] + table["width"] <= width
        assert page.locator(".parked-causes tbody td").evaluate_all(LYING_ON_EACH_OTHER) == 0
        for cell in page.locator(".parked-causes tbody td").all():
            box = cell.bounding_box()
            assert box["x"] + box["width"] <= width, cell.inner_text()


@pytest.mark.requires("browser")
def test_the_bar_of_an_age_is_as_wide_as_its_share_of_what_is_usual(visitors: Any, house: House):
    visitor = wide(visitors, 1280)
    visitor.go("/sagas?state=all&sort=oldest")
    bars = visitor.page.locator(".sagas svg.share")
    assert bars.count() >= 2
    for bar in bars.all():
        whole, taken = bar.bounding_box()["width"], bar.locator(".taken").bounding_box()["width"]
        said = int(str(bar.get_attribute("aria-label")).split(" ", 1)[0])
        assert taken / whole == pytest.approx(min(said / 150, 1.0), abs=0.02), said


@pytest.mark.requires("browser")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_causes_of_a_saga_are_drawn_close_to_their_rows(visitors: Any, house: House, width: int):
    visitor = wide(visitors, width)
    visitor.go(f"/sagas/{house.saga('stuck')}/causes")
    page = visitor.page
    drawn = page.locator("svg.causation").bounding_box()
    number = page.locator("#n-1 td.number").first.bounding_box()
    assert 0 <= number["x"] - (drawn["x"] + drawn["width"]) <= 24
    point = page.locator("svg.causation .point").first.bounding_box()
    row = page.locator("#n-1").bounding_box()
    assert row["y"] <= point["y"] + point["height"] / 2 <= row["y"] + row["height"]
    assert page.evaluate(OUTSIDE) == []


@pytest.mark.requires("browser")
@pytest.mark.parametrize("path", [page.path for page in PAGES if page.menu])
def test_nothing_is_wider_than_a_small_phone(visitors: Any, house: House, path: str):
    visitor = wide(visitors, 320)
    assert visitor.go(path).status == 200
    assert visitor.page.evaluate(OUTSIDE) == []


@pytest.mark.requires("browser")
def test_on_a_phone_the_menu_is_folded_and_opens_without_a_script(visitors: Any, house: House):
    visitor: Visitor = visitors(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    visitor.sign_in().go("/audit")
    page = visitor.page
    assert page.locator("header.side").bounding_box()["height"] <= 60
    page.locator("summary", has_text="Menu").click()
    page.locator(".folded").get_by_role("link", name="Parked").click()
    page.wait_for_url("**/parked")


@pytest.mark.requires("browser")
def test_on_a_phone_the_steps_stand_below_each_other_and_elsewhere_the_drawing_fills_the_width(
    visitors: Any, house: House
):
    visitor = wide(visitors, 320)
    visitor.go(f"/sagas/{house.saga('stuck')}")
    page = visitor.page
    assert not page.locator("svg.swimlane").is_visible()
    places = [row.bounding_box()["y"] for row in page.locator(".steps-table tbody tr").all()]
    assert places == sorted(places)
    assert page.evaluate(OUTSIDE) == []
    page.set_viewport_size({"width": 1280, "height": 720})
    drawn, table = page.locator("svg.swimlane").bounding_box(), page.locator(".steps-table").bounding_box()
    assert drawn["width"] == pytest.approx(table["width"], abs=2)
    page.locator("svg.swimlane a", has_text="capture").click()
    assert page.locator("#a-FORWARD-5 pre").first.is_visible()


@pytest.mark.requires("browser")
def test_a_row_of_the_list_of_sagas_is_one_line_and_all_columns_are_inside(visitors: Any, house: House):
    visitor = wide(visitors, 1280)
    visitor.go("/sagas?state=all")
    page = visitor.page
    table = page.locator("table.sagas").bounding_box()
    assert table["x"] + table["width"] <= 1280
    for row in page.locator("table.sagas tbody tr").all():
        assert row.bounding_box()["height"] <= 32


@pytest.mark.requires("browser")
def test_the_slider_through_versions_keeps_the_focus_under_the_keys(visitors: Any, house: House):
    visitor = wide(visitors, 1280)
    visitor.go(f"/aggregates/orders/{house.orders['done']}")
    page = visitor.page
    page.locator("[data-submit]").focus()
    before = int(page.locator("[data-submit]").input_value())
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**at={before - 2}*")
    page.wait_for_function("document.activeElement.name === 'at'")
