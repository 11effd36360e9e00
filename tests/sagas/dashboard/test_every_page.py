"""What holds for every page there is: accessible, small, quiet, and nothing that a customer wrote is ever run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from sagas.dashboard.pages import PAGES
from tests.eventually import eventually
from tests.sagas.dashboard.conftest import Visitor
from tests.sagas.dashboard.house import OPERATOR, House
from tests.sagas.dashboard.test_frame import signed_in
from tests.sagas.dashboard.test_parked_pages import posted

SCRIPT: Final = "<script>alert(document.domain)</script>"
ESCAPED: Final = "&lt;script&gt;alert(document.domain)&lt;/script&gt;"
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


@dataclass(frozen=True)
class Nasty:
    """A customer who writes a script into all that they may write."""

    house: House
    id: str

    @property
    def saga(self) -> str:
        return self.house.saga("nasty")

    @property
    def order(self) -> str:
        return str(self.house.orders["nasty"])


@pytest.fixture(scope="module")
def nasty(house: House) -> Nasty:
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
    house.ask(f"/v1/orders/{house.orders['nasty']}/cancel", {"note": SCRIPT}, by=house.shop.buyer)
    written = {"bio": SCRIPT, "displayName": SCRIPT[:50]}
    version = httpx.get(f"{house.address}/v1/users/{id}", headers=house.in_charge()).json()["version"]
    assert house.tried(f"/v1/users/{id}/change-profile", {"profile": written}, version=version)
    return Nasty(house, str(id))


def opened(nasty: Nasty, stream: str, **form: str) -> str:
    """The address at which the personal fields of a stream are open to the operator."""
    answer = posted(nasty.house, OPERATOR, f"/streams/{stream}/open", reason=SCRIPT, **form)
    there, cookies = nasty.house.address + answer.headers["location"], signed_in(nasty.house, OPERATOR)
    eventually(lambda: "Personal fields are open to you" in httpx.get(there, cookies=cookies).text)
    return answer.headers["location"].removeprefix("/dashboard")


def first(operator: Visitor, path: str, selector: str) -> str:
    operator.go(path)
    found: str = operator.page.locator(selector).first.get_attribute("href")
    return found.removeprefix("/dashboard")


def addresses(operator: Visitor, nasty: Nasty) -> Iterator[str]:
    """Of every kind of page there is."""
    yield from MENU
    saga, unknown = f"/sagas/{nasty.saga}", "00000000-0000-0000-0000-000000000001"
    yield from (saga, f"{saga}/causes", f"{saga}/test", f"{saga}/act/retry", "/sagas/bulk/all?state=ended&action=retry")
    yield from ("/sagas/bulk?action=retry", "/sagas/bulk/outcomes")
    yield from ("/models/orders", "/parked/cause?fingerprint=x", "/parked/outcomes", f"/parked/{unknown}")
    yield from ("/people?role=everybody", "/audit?status=DENIED")
    yield opened(nasty, nasty.id, context="users", place="person")
    yield opened(nasty, nasty.id, context="users")
    yield opened(nasty, nasty.order, context="orders")
    yield first(operator, f"/events?context=orders&stream={nasty.order}", "tbody td a")
    mail = first(operator, "/notifications", "tbody tr td a")
    yield from (mail, f"{mail}/mail")
    eventually(lambda: first(operator, "/audit?kind=personal.show", "tbody tr td a"))
    yield first(operator, "/audit?kind=personal.show", "tbody tr td a")


WITHOUT_A_LOOK: Final = ("/live", "/newer", ".csv", "/bundle")
"""Parts of pages, and files."""


def kind_of(path: str) -> str | None:
    """The page that an address is of, as `pages.py` has it."""
    for page in PAGES:
        pattern = re.sub(r"\{\w+(:\w+)?\}", "[^/]+", page.path)
        if page.method == "GET" and re.fullmatch(pattern, path.partition("?")[0]):
            return page.path
    return None


@pytest.mark.requires("browser")
def test_what_a_customer_wrote_is_text_on_every_kind_of_page(operator: Visitor, nasty: Nasty):
    alerts: list[str] = []

    def alerted(dialog: Any) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    operator.page.on("dialog", alerted)
    visited, written = set(), []
    eventually(lambda: operator.go(f"/sagas/{nasty.saga}").status == 200)
    for path in addresses(operator, nasty):
        html = operator.go(path).text()
        assert "<script>alert" not in html, path
        visited.add(kind_of(path))
        written += [kind_of(path)] if ESCAPED in html else []
    assert alerts == []
    assert {"/people/{id}", "/aggregates/{context}/{id}", "/audit/{id}"} <= set(written), "it is to be seen, as text"
    kinds = {page.path for page in PAGES if page.method == "GET" and not page.path.endswith(WITHOUT_A_LOOK)}
    assert kinds - visited == set()
    operator.said.clear()  # that some of these pages are not there is said by the browser as well
