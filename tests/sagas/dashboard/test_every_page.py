"""What holds for every page there is: accessible, small, quiet, and nothing that a customer wrote is ever run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from sagas.dashboard.pages import PAGES
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import House

SCRIPT: Final = "<script>alert(document.domain)</script>"
MENU: Final = [page.path for page in PAGES if page.menu]


@pytest.mark.requires("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", MENU)
def test_axe_finds_nothing_and_it_fits_a_small_phone(visitors: Any, scheme: str, path: str):
    visitor: Visitor = visitors(color_scheme=scheme, viewport={"width": 320, "height": 640})
    answer = visitor.sign_in().go(path)
    assert answer.status == 200
    assert len(answer.body()) < 150_000
    assert visitor.axe() == []
    assert visitor.wide() == 320


@pytest.fixture(scope="module")
def nasty(house: House) -> House:
    """A customer who writes a script into all that they may write."""
    person = {"email": "nasty@example.org", "password": "long enough", "name": SCRIPT[:50]}
    id = house.ask("/v1/users", person)["id"]
    address = dict.fromkeys(("name", "line1", "line2", "city", "region"), SCRIPT)
    address |= {"postalCode": "1000", "country": "CH"}
    bought = dict(house.shop.order)
    try:
        house.shop.order = bought | {"address": address}
        house.place("nasty", "pm_card_visa", "ENDED")
    finally:
        house.shop.order = bought
    house.ask(f"/v1/orders/{house.orders['nasty']}/cancel", {"note": SCRIPT}, by=house.shop.buyer, refusable=True)
    house.tried(f"/v1/users/{id}/change-profile", {"bio": SCRIPT, "displayName": SCRIPT[:50]}, version=1)
    return house


def addresses(house: House) -> Iterator[str]:
    yield from MENU
    saga = f"/sagas/{house.saga('nasty')}"
    yield "/people?role=everybody"
    yield from (saga, f"{saga}/causes", f"{saga}/test")


@pytest.mark.requires("browser")
def test_what_a_customer_wrote_is_text_wherever_it_shows(operator: Visitor, nasty: House):
    alerts: list[str] = []

    def alerted(dialog: Any) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    operator.page.on("dialog", alerted)
    eventually(lambda: operator.go(f"/sagas/{nasty.saga('nasty')}").status == 200)
    for path in addresses(nasty):
        html = operator.go(path).text()
        assert "<script>alert" not in html, path
    assert alerts == []
