"""The page at /docs works offline under a strict policy, and is what was vendored."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from commands import docs_page
from commands.app import app
from commands.docs_page.vendor import sums
from tests.commands.http.shop import RESOURCES, ROUTES, FakeLoop, api, client, no_keys

HERE = Path(docs_page.__file__).parent
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


def test_nothing_vendored_was_changed():
    assert sums() == (HERE / "SHA256SUMS").read_text()


def test_licence_and_version_are_there():
    assert "Apache License" in (HERE / "LICENSE").read_text()
    assert (HERE / "VERSION").read_text().startswith("swagger-ui-dist ")


async def test_the_page_and_its_files_are_served_and_the_sources_are_not(loop: FakeLoop):
    async with client(loop, None) as c:
        page = await c.get("/docs")
        script = await c.get("/docs/swagger-ui-bundle.js")
        assert (await c.get("/docs/__init__.py")).status_code == 404
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src ")
    assert "unsafe" not in policy
    assert script.headers["content-type"].startswith("text/javascript")


@pytest.fixture
def address() -> Iterator[str]:
    config = uvicorn.Config(app(api(FakeLoop()), ROUTES, RESOURCES, jwks=no_keys), port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.mark.requires("browser")
def test_the_page_shows_every_operation_without_a_violation_or_a_call_outside(address: str):
    from playwright.sync_api import sync_playwright

    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/docs")
        page.wait_for_selector(".opblock")
        page.locator(".opblock-summary").first.click()
        page.wait_for_selector(".opblock-body .parameters")
        shown = page.locator(".opblock").count()
        browser.close()
    assert shown == len(ROUTES) + len(RESOURCES)
    assert said == []
    assert all(url.startswith(address) for url in asked), asked
