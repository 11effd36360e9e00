"""`make screenshots`: every page in light and dark into docs/images, of the sample shop once it has run for a while."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final, Literal

import httpx
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import ViewportSize, sync_playwright

from sagas.dashboard.pages import PAGES
from tests.eventually import eventually
from tests.infra.cli.process import Up, running
from tests.sagas.dashboard.conftest import CHROMIUM

IMAGES: Final = Path(__file__).parents[3] / "docs" / "images"
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
SIZE: Final[ViewportSize] = {"width": 1080, "height": 600}
LARGEST: Final = 150_000  # bytes
STUCK: Final = "/dashboard/sagas?state=needs-a-person"


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data), "--demo", "--rate", "3", "--seed", "7") as up,
        sync_playwright() as playwright,
    ):
        Thread(target=listen, args=[up], daemon=True).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        wait_for_trouble(up)
        for scheme in SCHEMES:
            page = signed_in(browser.new_page(color_scheme=scheme, viewport=SIZE), up)
            for name, path in places(page, up):
                shoot(page, f"{up.address}{path}", IMAGES / f"dashboard-{name}-{scheme}.png")
        browser.close()


def listen(up: Up) -> None:
    """To all that it says, until it is stopped: it would wait for a reader."""
    with suppress(ValueError):
        for _ in up.said:
            pass


def wait_for_trouble(up: Up) -> None:
    """Until a few sagas need a person: that is what the dashboard is for."""
    operator = up.ready["operator"]
    with httpx.Client(base_url=up.address, follow_redirects=True, timeout=30) as client:
        client.post("/dashboard/sign-in", data=operator)
        eventually(lambda: client.get(STUCK).text.count('<tr id="s-') >= 3, within=300)


def signed_in(page: BrowserPage, up: Up) -> BrowserPage:
    page.goto(f"{up.address}/dashboard/sign-in")
    page.fill("[name=email]", up.ready["operator"]["email"])
    page.fill("[name=password]", up.ready["operator"]["password"])
    page.click("button.main")
    page.wait_for_url("**/dashboard/")
    return page


def places(page: BrowserPage, up: Up) -> Iterator[tuple[str, str]]:
    """Each page by the name of its picture: those of the menu, of a saga that is stuck, of somebody who works here."""
    yield from ((each.menu.lower().replace(" ", "-"), f"/dashboard{each.path}") for each in PAGES if each.menu)
    page.goto(f"{up.address}{STUCK}")
    saga: Any = page.locator("tbody tr a").first.get_attribute("href")
    yield from (("saga", saga), ("saga-causes", f"{saga}/causes"), ("saga-action", f"{saga}/act/resolve"))
    page.goto(f"{up.address}/dashboard/people")
    person: Any = page.locator("tbody tr a").first.get_attribute("href")
    yield "person", person


def shoot(page: BrowserPage, address: str, file: Path) -> None:
    page.goto(address)
    page.wait_for_load_state("load")
    page.screenshot(path=file, animations="disabled")
    size = file.stat().st_size
    assert size < LARGEST, f"{file.name} has {size} bytes"
    print(f"{file.name}  {size // 1024} kB")


if __name__ == "__main__":
    main()
