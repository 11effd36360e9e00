"""`chobo todo` and `chobo erasures` as an operator uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from commands.loop import WriteLoop
from commands.reply import Envelope
from commands.users.messages import CompleteErasure
from domain.actor import Actor, Role, service
from domain.users.values import Means, Place
from infra.assembly.erasures import users_loop_of
from infra.databases import Databases
from infra.keys import PersonalKeys
from infra.settings import Settings
from tests.e2e.buggy_shop import Shop, opened
from tests.eventually import until

SURE = ("--reason", "To see", "--yes")


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    async with opened(database) as shop:
        yield shop


async def forgetting(shop: Shop) -> dict[str, Any]:
    """The work of erasing a customer, which waits for cached keys."""
    herself = Actor(UUID(shop.customer), frozenset({Role.CUSTOMER}))
    token = shop.system.tokens.access(herself)[0]
    headers = {"authorization": f"Bearer {token}"}
    answer = await shop.http.post(f"/v1/users/{shop.customer}/erase", json={}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = []

    async def waits() -> bool:
        found[:] = [row for row in await shop.said("todo", "list", "--kind", "erase-user") if row["data"]]
        return bool(found)

    await until(waits)
    return found[0]


@asynccontextmanager
async def loop_of(shop: Shop) -> AsyncIterator[WriteLoop]:
    """Another process's, of users."""
    settings = Settings.read(defaults={"database_url": shop.database, "profile": "development"})
    async with Databases(settings, ["users"]) as databases:
        keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
        async with users_loop_of(databases, keys) as loop:
            yield loop


async def test_work_is_listed_shown_paused_and_made_due_with_a_reason(shop: Shop) -> None:
    row = await forgetting(shop)
    assert (row["context"], row["subject"], row["status"]) == ("users", shop.customer, "OPEN")
    [shown] = await shop.said("todo", "show", shop.customer)
    assert shown["id"] == row["id"]
    assert "orders@1, table orders" in shown["data"]["swept"]

    assert "is paused" in (await shop.chobo("todo", "pause", row["id"], *SURE)).stdout
    [paused] = await shop.said("todo", "list", "--status", "PAUSED")
    assert paused["id"] == row["id"]
    assert "is due now" in (await shop.chobo("todo", "retry", row["id"], *SURE)).stdout
    mine = await shop.said("todo", "list", "--kind", "erase-user")
    assert [row["status"] for row in mine] == ["OPEN"]
    audit = [(done["kind"], done["target"], done["reason"]) for done in await shop.said("audit")]
    assert audit == [("todo.retry", row["id"], "To see"), ("todo.pause", row["id"], "To see")]


async def test_what_cannot_be_taken_in_hand_is_said(shop: Shop) -> None:
    unknown = "01900000-0000-7000-8000-000000000000"
    refused = await shop.chobo("todo", "retry", unknown, *SURE)
    assert (refused.returncode, refused.stderr) == (
        1, f"chobo: there is no to-do {unknown}: `chobo todo list` shows them\n"
    )  # fmt: skip
    assert (await shop.chobo("todo", "show", unknown)).returncode == 1
    wrong = await shop.chobo("todo", "list", "--status", "LOST")
    assert (wrong.returncode, "OPEN, PAUSED, DONE, FAILED" in wrong.stderr) == (2, True)
    wrong = await shop.chobo("todo", "begin", "weather", "--from", "0", *SURE)
    assert (wrong.returncode, "no event of weather asks for work" in wrong.stderr) == (2, True)
    wrong = await shop.chobo("todo", "begin", "users", "--from", "999999", *SURE)
    assert (wrong.returncode, "the log of users ends at" in wrong.stderr) == (2, True)


async def test_events_are_taken_note_of_from_another_position_on(shop: Shop) -> None:
    row = await forgetting(shop)
    done = await shop.chobo("todo", "begin", "users", "--from", "0", *SURE)
    assert "Events of users after 0 are taken note of." in done.stdout, done.stderr
    assert [each["id"] for each in await shop.said("todo", "list", "--kind", "erase-user")] == [row["id"]]


async def test_erasures_are_listed_and_applied_to_a_copy_that_does_not_know_of_them(shop: Shop, tmp_path: Path) -> None:
    await forgetting(shop)
    listed = await shop.chobo("erasures", "list", "--json")
    assert shop.customer in listed.stdout
    other = await shop.post("/v1/users", {"email": "bo@example.com", "password": "correct horse", "name": "Bo"})
    erasures = tmp_path / "list.jsonl"
    erasures.write_text(listed.stdout + listed.stdout.replace(shop.customer, other["id"]))
    done = await shop.chobo("erasures", "apply", str(erasures), *SURE)
    assert "2 are listed; 1 were not erased here" in done.stdout, done.stderr
    again = await shop.chobo("erasures", "apply", str(erasures), *SURE)
    assert "0 were not erased here" in again.stdout
    kept = await shop.chobo("erasures", "list", "--json")
    assert other["id"] in kept.stdout


async def test_a_receipt_is_shown_once_there_is_one(shop: Shop) -> None:
    await forgetting(shop)
    early = await shop.chobo("erasures", "show", shop.customer)
    assert (early.returncode, "is still being cleared away" in early.stderr) == (1, True)
    other = await shop.chobo("erasures", "show", shop.variant)
    assert (other.returncode, other.stderr) == (1, f"chobo: {shop.variant} was not erased\n")
    places = (Place(name="orders@1, table orders", means=Means.CLEARED, rows=3, cleared=2),)
    async with loop_of(shop) as users:
        receipt = CompleteErasure(key_destroyed_at=datetime.now(UTC), places=places)
        envelope = Envelope(receipt.bind(by=service("erasure"), target=UUID(shop.customer)), "receipt")
        (await users.submit(envelope)).result()
    [shown] = await shop.said("erasures", "show", shop.customer)
    assert shown["places"] == [{"name": "orders@1, table orders", "means": "cleared", "rows": 3, "cleared": 2}]
    assert "orders@1, table orders" in (await shop.chobo("erasures", "show", shop.customer)).stdout
