"""A projector fails at one order: that order waits, all others flow, and once it is mended it catches up in order."""

from __future__ import annotations

from domain.ids import new_id
from tests.e2e.buggy_shop import Bug, Shop
from tests.eventually import until
from tests.infra.cli.process import lines


async def test_the_order_it_strikes_waits_all_others_flow_and_a_retry_catches_it_up_in_order(
    shop: Shop, bug: Bug
) -> None:
    struck, *others = [str(new_id()) for _ in range(4)]
    bug.strikes.add(struck)
    for id in (struck, *others):
        await shop.order(id)

    async def others_are_done() -> bool:
        return await shop.versions() == dict.fromkeys(others, 3)

    await until(others_are_done)

    [parked] = await shop.said("parked", "list")
    assert (parked["sequence"], parked["consumer"], parked["eventType"]) == (struck, "orders@1", "orders.order-placed")
    assert (parked["version"], parked["waiting"]) == (1, 2)
    assert "a share of nothing" in parked["reason"]
    id = parked["id"]

    shown = await shop.chobo("parked", "show", id, "--json")
    assert "1 Way" not in shown.stdout
    [told] = lines(shown)
    assert [event["type"] for event in told["events"]] == [
        "orders.order-placed", "orders.order-confirmed", "orders.order-shipped",
    ]  # fmt: skip
    assert "sealed" in told["events"][0]["state"]
    assert told["sequenceSeenUpTo"] >= told["events"][-1]["position"]

    early = await shop.chobo("parked", "retry", id, "--reason", "Perhaps it was the weather", "--yes", "--json")
    assert early.returncode == 1
    [refused] = lines(early)
    assert "parked again at version 1 (orders.order-placed): ZeroDivisionError; see" in refused["why"]
    assert "a share of nothing" not in refused["why"]  # who knows what it quotes: the log keeps this for ever
    assert struck not in await shop.versions()

    bug.strikes.clear()
    mended = await shop.chobo("parked", "retry", id, "--reason", "Mended in 1.2.3", "--yes", "--json")
    assert (mended.returncode, lines(mended)) == (0, [{"id": id, "outcome": "DONE", "applied": 3}]), mended.stderr
    assert await shop.timeline(struck) == [(1, "PLACED"), (2, "CONFIRMED"), (3, "SHIPPED")]
    assert await shop.said("parked", "list") == []

    late = await shop.chobo("parked", "retry", id, "--reason", "Once more", "--yes")
    assert late.returncode == 1
    assert f"nothing is parked under {id}" in late.stdout

    async def all_on_record() -> bool:
        found = await shop.said("audit", "--kind", "parked.retry")
        return [(line["actor"], line["reason"], line["status"]) for line in found] == [
            ("service:cli", "Once more", "NO_EFFECT"),
            ("service:cli", "Mended in 1.2.3", "DONE"),
            ("service:cli", "Perhaps it was the weather", "FAILED"),
        ]

    await until(all_on_record)
