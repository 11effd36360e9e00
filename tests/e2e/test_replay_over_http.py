"""A read model is built anew, switched to and rolled back by an operator's requests; each says what came of it."""

from __future__ import annotations

from typing import Any

import psycopg

from domain.ids import new_id
from tests.e2e.buggy_shop import Shop
from tests.eventually import until


async def outcome(shop: Shop, id: str) -> str:
    """Of an operation, once it has one."""
    said: dict[str, Any] = {}

    async def ended() -> bool:
        said.update((await shop.http.get(f"/v1/operations/{id}", headers=shop.signed_in())).json())
        return bool(said["status"] != "REQUESTED")

    await until(ended)
    return str(said["status"])


async def asked(shop: Shop, path: str, **body: Any) -> str:
    return await outcome(shop, (await shop.post(path, {"reason": "A new column"} | body))["id"])


async def standing(shop: Shop) -> list[tuple[int, str]]:
    async with await psycopg.AsyncConnection.connect(shop.database) as connection:
        query = "SELECT generation, status FROM projections.generations WHERE model = 'orders' ORDER BY generation"
        return await (await connection.execute(query)).fetchall()


async def first(shop: Shop) -> str:
    """The id of the generation that was there from the beginning."""
    async with await psycopg.AsyncConnection.connect(shop.database) as connection:
        query = "SELECT replay FROM projections.generations WHERE model = 'orders' AND generation = 1"
        row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return str(row[0])


async def test_a_replay_from_start_to_rollback(shop: Shop) -> None:
    for _ in range(3):
        await shop.draft()
    id = (await shop.post("/v1/replays", {"model": "orders", "reason": "A new column"}))["id"]
    assert await outcome(shop, id) == "DONE"

    async def built() -> bool:
        return await standing(shop) == [(1, "LIVE"), (2, "READY")]

    await until(built)
    assert await asked(shop, f"/v1/replays/{id}/rollback") == "FAILED"  # readers do not see it yet
    assert await asked(shop, f"/v1/replays/{id}/switch") == "FAILED"  # it was not compared
    assert await asked(shop, f"/v1/replays/{id}/switch", force=True) == "DONE"
    assert await standing(shop) == [(1, "KEPT"), (2, "LIVE")]
    assert len(await shop.versions()) == 3
    assert await asked(shop, f"/v1/replays/{id}/rollback", force=True) == "DONE"
    assert await standing(shop) == [(1, "LIVE"), (2, "KEPT")]
    assert await asked(shop, f"/v1/replays/{id}/switch", force=True) == "DONE"
    assert await asked(shop, f"/v1/replays/{await first(shop)}/drop") == "DONE"
    assert await standing(shop) == [(1, "DROPPED"), (2, "LIVE")]
    assert await asked(shop, f"/v1/replays/{new_id()}/drop") == "FAILED"
