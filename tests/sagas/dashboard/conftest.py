"""A house for all tests of a module, and browsers in it that complain about everything."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.sagas.dashboard.house import OPERATOR, PASSWORD, House, opened

CHROMIUM: Final = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
AXE: Final = gzip.decompress((Path(__file__).parent / "vendor" / "axe.min.js.gz").read_bytes()).decode()


@pytest.fixture(scope="module")
def house(module_database: str) -> Iterator[House]:
    with opened(module_database) as house:
        house.place("done", "pm_card_visa", "ENDED")
        house.place("rejected", "pm_card_chargeDeclined", "ENDED")
        house.place_waiting("waiting")
        house.get_stuck("stuck")
        yield house


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield browser
        browser.close()


class Visitor:
    """A person at a browser. What the console says, and what is asked of other hosts, fails the test at its end."""

    def __init__(self, browser: Any, house: House, **context: Any) -> None:
        self.house = house
        self.context = browser.new_context(**context)
        self.page: Any = self.context.new_page()
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        self.asked.append(url)
        if not url.startswith((self.house.address, "blob:", "about:")):
            self.elsewhere.append(url)

    def sign_in(self, email: str = OPERATOR, password: str = PASSWORD) -> Visitor:
        self.go("/sign-in")
        self.page.fill("[name=email]", email)
        self.page.fill("[name=password]", password)
        self.page.click("button.main")
        return self

    def go(self, path: str) -> Any:
        return self.page.goto(f"{self.house.address}/dashboard{path}")

    def text(self) -> str:
        return str(self.page.locator("main").inner_text())

    def axe(self) -> list[str]:
        """What axe finds wrong with the page as it is."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run().then(r => r.violations)")
        return [f"{v['id']}: {node['html'][:200]}" for v in found for node in v["nodes"]]

    def wide(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth"))


@pytest.fixture
def visitors(chromium: Any, house: House) -> Iterator[Any]:
    made: list[Visitor] = []

    def visitor(**context: Any) -> Visitor:
        made.append(Visitor(chromium, house, **context))
        return made[-1]

    yield visitor
    for each in made:
        each.context.close()
        assert each.elsewhere == []
        assert each.said == []


@pytest.fixture
def operator(visitors: Any) -> Visitor:
    visitor: Visitor = visitors()
    return visitor.sign_in()
