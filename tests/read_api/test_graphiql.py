"""GraphiQL works offline under a strict policy, is what was vendored, and its examples are good for something."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from read_api import graphiql
from read_api.graphiql.pages import example_queries, routes
from read_api.graphiql.vendor import sums
from tests.commands.http.test_docs_page import CHROMIUM
from tests.projections.stories import order_id
from tests.read_api.conftest import SCHEMA, Api
from tests.read_api.served import served
from tests.read_api.test_products import shirts, tree

HERE: Final = Path(graphiql.__file__).parent


@pytest.fixture
def whole(api: Api) -> Starlette:
    api.app.graphql_ide = "graphiql"
    return Starlette(routes=[Route("/graphql", api.app), *routes()])


def test_nothing_vendored_was_changed() -> None:
    assert sums() == (HERE / "SHA256SUMS").read_text()


def test_licences_and_versions_are_there() -> None:
    for name in ("graphiql", "react", "react-dom"):
        assert "MIT License" in (HERE / f"LICENSE-{name}").read_text()
        assert f"{name} " in (HERE / "VERSION").read_text()


async def test_the_page_and_its_files_are_served_and_the_sources_are_not(whole: Starlette) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(whole), base_url="http://test") as client:
        page = await client.get("/graphql", headers={"accept": "text/html"})
        script = await client.get("/graphql/ui/start.js")
        assert (await client.get("/graphql/ui/pages.py")).status_code == 404
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in page.headers["content-security-policy"]
    assert script.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("query", example_queries())
async def test_every_example_is_answered(api: Api, query: str) -> None:
    await api.has_seen("products", [*tree(), *shirts()])
    assert SCHEMA.documents.get(query)
    answer = (await api.post(query, "staff", id=str(order_id(1)))).json()
    assert "errors" not in answer


@pytest.mark.requires("browser")
async def test_a_query_is_run_without_a_violation_or_a_call_outside(whole: Starlette) -> None:
    from playwright.async_api import async_playwright

    said: list[str] = []
    asked: list[str] = []
    answers: list[Any] = []
    async with served(whole) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        page = await browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{address}/graphql")
        await page.wait_for_selector(".graphiql-tab")
        tabs = await page.locator(".graphiql-tab").count()
        await page.click(".graphiql-execute-button")
        await page.locator(".result-window", has_text="products").wait_for()
        answers.append(await page.locator(".result-window").text_content())
        await page.click("[aria-label='Show Documentation Explorer']")
        await page.wait_for_selector(".graphiql-markdown-description, .graphiql-doc-explorer-root-type")
        await browser.close()
    assert tabs == len(example_queries())
    assert "nodes" in answers[0]
    assert said == []
    assert all(url.startswith(address) for url in asked), json.dumps(asked)
