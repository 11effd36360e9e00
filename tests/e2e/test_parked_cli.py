"""`chobo parked` as an operator uses it: by id, by cause, and what it says when it is used wrongly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.ids import new_id
from tests.e2e.buggy_shop import Bug, Shop
from tests.eventually import until
from tests.full import size
from tests.infra.cli.process import chobo, lines

CAUSE = "ZeroDivisionError orders orders.order-drafted"
SURE = ("--reason", "Mended", "--yes")


async def struck(shop: Shop, bug: Bug, drafts: int) -> list[dict[str, Any]]:
    """What is parked once so many drafts have met the bug, the oldest first."""
    bug.everything = True
    for _ in range(drafts):
        await shop.draft()

    async def all_parked() -> bool:
        return await shop.waiting() == [0] * drafts

    await until(all_parked)
    return await shop.said("parked", "list", "--limit", "1000")


@pytest.mark.full("parked")
async def test_a_whole_cause_is_tried_with_one_first_and_the_others_only_if_that_goes_well(
    shop: Shop, bug: Bug
) -> None:
    count = size(4, 300)
    parked = await struck(shop, bug, count)
    assert {each["fingerprint"] for each in parked} == {CAUSE}
    assert parked[0]["parkedAt"] == datetime.fromisoformat(parked[0]["parkedAt"]).isoformat()
    [group] = await shop.said("parked", "list", "--groups")
    assert (group["fingerprint"], group["sequences"]) == (CAUSE, count)

    early = await shop.chobo("parked", "retry", "--fingerprint", CAUSE, *SURE, "--json")
    assert early.returncode == 1
    assert [line["outcome"] for line in lines(early)] == ["REFUSED"]
    assert f"{count - 1} more with this cause were not tried" in early.stderr

    bug.everything = False
    mended = await shop.chobo("parked", "retry", "--fingerprint", CAUSE, "--consumer", "orders@1", *SURE, "--json")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert {line["id"] for line in lines(mended)} == {each["id"] for each in parked}
    assert {line["outcome"] for line in lines(mended)} == {"DONE"}
    assert await shop.said("parked", "list") == []
    assert len(await shop.versions()) == count
    gone = await shop.chobo("parked", "retry", "--fingerprint", CAUSE, *SURE)
    assert gone.returncode == 1
    assert f"there is no parked event with the fingerprint {CAUSE}" in gone.stderr


async def test_an_event_is_passed_over_and_what_waits_behind_it_is_applied_or_parked_in_its_turn(
    shop: Shop, bug: Bug
) -> None:
    [one] = await struck(shop, bug, 1)
    bug.everything = False
    line = {"variantId": shop.variant, "quantity": 1}
    await shop.post(f"/v1/orders/{one['sequence']}/add-line", line)

    async def one_waits() -> bool:
        return await shop.waiting() == [1]

    await until(one_waits)
    done = await shop.chobo("parked", "discard", one["id"], *SURE, "--json")
    assert done.returncode == 0, done.stderr
    [told] = lines(done)
    assert "parked again at version 2 (orders.line-added): CannotApply; see" in told["parkedAgain"]
    [left] = await shop.said("parked", "list")
    assert (left["id"], left["version"], left["waiting"]) == (one["id"], 2, 0)
    tried = await shop.chobo("parked", "dry-run", one["id"])
    assert tried.returncode == 1
    assert "version 2 (orders.line-added): CannotApply: orders has no row yet" in tried.stdout
    again = await shop.chobo("parked", "discard", one["id"], *SURE, "--json")
    assert lines(again) == [{"id": one["id"], "outcome": "DONE", "applied": 0, "parkedAgain": None}]


async def test_a_dry_run_tells_by_the_code_of_the_command_line_and_changes_nothing(shop: Shop, bug: Bug) -> None:
    [one] = await struck(shop, bug, 1)
    tried = await shop.chobo("parked", "dry-run", one["id"], "--json")  # where there is no bug
    assert (tried.returncode, lines(tried)) == (0, [{"id": one["id"], "outcome": "DONE", "applied": 1, "whole": True}])
    assert await shop.said("parked", "list") == [one]
    assert await shop.said("audit") == []
    nothing = await shop.chobo("parked", "dry-run", str(new_id()))
    assert nothing.returncode == 1
    assert "nothing is parked under" in nothing.stdout


async def test_people_read_tables(shop: Shop, bug: Bug) -> None:
    assert (await shop.chobo("parked", "list")).stdout == "Nothing is parked.\n"
    [one] = await struck(shop, bug, 1)
    for arguments in (["list"], ["list", "--groups"], ["show", one["id"]]):
        shown = await shop.chobo("parked", *arguments)
        assert shown.returncode == 0
        assert "a share of nothing" in shown.stdout
        assert "{" not in shown.stdout.partition("state")[0]


async def test_what_is_unknown_is_said(shop: Shop, bug: Bug) -> None:
    nobody = str(new_id())
    shown = await shop.chobo("parked", "show", nobody)
    assert (shown.returncode, shown.stderr) == (1, f"chobo: there is no parked event {nobody}\n")
    discarded = await shop.chobo("parked", "discard", nobody, *SURE)
    assert (discarded.returncode, discarded.stderr) == (1, f"chobo: there is no parked event {nobody}\n")


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["retry", "--reason", "why"], "give the ids of what is parked, or --fingerprint"),
        (["retry", str(new_id()), "--fingerprint", "x", "--reason", "why"], "give the ids"),
        (["retry", str(new_id()), "--consumer", "orders@1", "--reason", "why"], "--consumer goes with --fingerprint"),
        (["retry", str(new_id())], "Missing option '--reason'"),
        (["retry", str(new_id()), "--reason", "why"], "there is nobody to ask"),
        (["show", "the last one"], "Invalid value for"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    done = chobo("parked", *arguments, CHOBO_DATABASE_URL="dbname=none", COLUMNS="200", TERM="dumb")
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in " ".join(done.stderr.split())


def test_without_a_database_it_is_unavailable() -> None:
    done = chobo("parked", "list", CHOBO_DATABASE_URL="host=/nowhere dbname=none")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
