"""What docs/graphql.md shows works: every document is executed, every client runs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands.users.messages import SignIn
from domain.actor import Actor, Role
from tests.npm.installed import installed
from tests.read_api.conftest import ACTORS, Api
from tests.read_api.live.events import streamed
from tests.read_api.served import served
from tests.read_api.town import an_id, order_of, settle

GUIDE = (Path(__file__).parents[2] / "docs/graphql.md").read_text()
BLOCK = re.compile(r"^```(\w+) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HERE = """
const accessToken = "owner";
const show = (order) => { console.log(JSON.stringify(order)); process.exit(0); };
"""


@dataclass
class Example:
    """A document with what stands below it."""

    document: str
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.document.split("(")[0].split("{")[0].strip()

    @property
    def variables(self) -> Any:
        return self.beside.get("variables", {})


def examples() -> Iterator[Example]:
    last: Example | None = None
    for language, kind, text in BLOCK.findall(
        GUIDE.replace("ORDER", str(order_of(1))).replace("CATEGORY", str(an_id("category", 1)))
    ):
        if language == "graphql":
            if last:
                yield last
            last = Example(text)
        elif language == "json" and kind:
            assert last
            last.beside[kind] = json.loads(text)
    assert last
    yield last


EXAMPLES = list(examples())
QUERIES = [each for each in EXAMPLES if each.document.startswith("query")]
SUBSCRIPTIONS = [each for each in EXAMPLES if each.document.startswith("subscription")]
PROGRAMS = {kind: text for language, kind, text in BLOCK.findall(GUIDE) if language == "js"}


@pytest.fixture
async def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setitem(ACTORS, "owner", Actor(an_id("customer", 1), frozenset({Role.CUSTOMER})))
    await settle(api, 2)
    return api


@pytest.fixture
async def address(shop: Api) -> AsyncIterator[str]:
    async with served(shop.app) as address:
        yield address


def test_the_guide_has_examples() -> None:
    assert (len(QUERIES), len(SUBSCRIPTIONS), set(PROGRAMS)) == (7, 1, {"sse", "ws"})


@pytest.mark.parametrize("example", QUERIES, ids=lambda each: each.name)
async def test_every_query_is_answered_as_the_guide_says(shop: Api, example: Example) -> None:
    body = (await shop.post(example.document, "staff", **example.variables)).json()
    wanted = example.beside.get("errors", [])
    found = [error["extensions"] for error in body.get("errors", [])]
    assert [each | wants for each, wants in zip(found, wanted, strict=True)] == found
    if "answer" in example.beside:
        assert body["data"] == example.beside["answer"]
    elif not wanted:
        assert all(value for value in body["data"].values())


@pytest.mark.parametrize("example", SUBSCRIPTIONS, ids=lambda each: each.name)
async def test_every_subscription_tells_something(address: str, example: Example) -> None:
    async with (
        httpx.AsyncClient(base_url=address, timeout=20) as client,
        streamed(client, example.document, "owner", **example.variables) as stream,
    ):
        assert all((await stream.data()).values())


@pytest.mark.requires("node")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", PROGRAMS)
async def test_every_program_shows_the_order(address: str, kind: str) -> None:
    text = PROGRAMS[kind].replace("ORDER", str(order_of(1)))
    text = text.replace("https://shop.example", address).replace("wss://shop.example", address.replace("http", "ws"))
    if kind == "ws":  # browsers have one
        text = 'import WebSocket from "ws";\nglobalThis.WebSocket = WebSocket;\n' + text
    script = await asyncio.to_thread(installed) / f"guide-{kind}.mjs"
    script.write_text(HERE + text)
    process = await asyncio.create_subprocess_exec(
        "node", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complained = await process.communicate()
    assert said, complained.decode()
    assert json.loads(said) == {"version": 2, "status": "CONFIRMED"}


def test_signing_in_takes_what_the_guide_sends() -> None:
    (sent,) = (text for language, _, text in BLOCK.findall(GUIDE) if language == "http")
    head, _, body = sent.partition("\n\n")
    assert head.splitlines()[0] == "POST /v1/sessions"
    assert SignIn.model_validate_json(body).email == "hana@example.org"
