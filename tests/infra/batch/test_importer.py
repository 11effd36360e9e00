"""Lines become commands: in order per subject, never twice, with a result each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from domain.ids import NAMESPACE
from infra.batch import importer as module
from infra.batch import plans
from infra.batch.importer import Answer, Batch, GivenUp, Importer
from infra.batch.lines import read
from infra.batch.results import Outcome, Result, Results

COUNTS = Batch("stock", "2026-11", plans.stock, plans.stock_subject)


async def resolve(sku: str) -> UUID | None:
    return uuid5(NAMESPACE, sku)


class Shop:
    """Answers like the command API: one answer a key, for ever."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Mapping[str, Any]]] = []
        self.replies: dict[str, Answer] = {}
        self.refuse = 0
        self.away = 0
        self.under_way = self.most = 0

    async def __call__(self, path: str, body: Mapping[str, Any], key: str) -> Answer:
        if self.away:
            self.away -= 1
            return Answer(503, {"code": "UNAVAILABLE", "detail": "away", "retryable": True}, 0.001)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.001)
        self.under_way -= 1
        return self.replies.setdefault(key, self._carried_out(path, body) if key not in self.replies else Answer(0, {}))

    def _carried_out(self, path: str, body: Mapping[str, Any]) -> Answer:
        if self.refuse:
            self.refuse -= 1
            return Answer(409, {"code": "STOCK_LIMIT", "detail": "full", "retryable": False})
        self.done.append((path, body))
        return Answer(200, {"id": path.split("/")[3], "version": len(self.done)})


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stock.jsonl"
    path.write_text("".join(json.dumps({"sku": f"S{n % 5}", "receive": n + 1}) + "\n" for n in range(40)))
    return path


async def run(shop: Shop, file: Path, batch: Batch = COUNTS, *, dry_run: bool = False) -> dict[Outcome, int]:
    told: list[Result] = []
    with Results(None if dry_run else file.with_suffix(".results")) as results:
        importer = Importer(batch, shop, resolve, results, at_once=8, dry_run=dry_run)
        await importer.run(read(file), told.append)
    assert len(told) == sum(importer.counts.values())
    return dict(importer.counts)


async def test_lines_of_one_subject_keep_their_order_and_others_run_beside_them(shop: Shop, file: Path):
    assert await run(shop, file) == {Outcome.OK: 40}
    by_path: dict[str, list[int]] = {}
    for path, body in shop.done:
        by_path.setdefault(path, []).append(body["quantity"])
    assert len(by_path) == 5
    assert all(quantities == sorted(quantities) for quantities in by_path.values())
    assert 1 < shop.most <= 8


async def test_the_same_file_again_repeats_nothing(shop: Shop, file: Path):
    await run(shop, file)
    assert await run(shop, file) == {Outcome.DONE_BEFORE: 40}
    file.with_suffix(".results").unlink()  # even without what was noted: the keys are the same
    assert await run(shop, file) == {Outcome.OK: 40}
    assert len(shop.done) == 40


async def test_another_batch_of_the_same_lines_is_another_delivery(shop: Shop, file: Path):
    await run(shop, file)
    file.with_suffix(".results").unlink()
    await run(shop, file, Batch("stock", "2026-12", plans.stock, plans.stock_subject))
    assert len(shop.done) == 80


def text_of(path: Path) -> str:
    return path.read_text()


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)


async def test_a_corrected_file_carries_out_only_what_is_new(shop: Shop, file: Path):
    lines = text_of(file).splitlines()
    rewrite(file, "\n".join(['{"sku": "S1", "recieve": 1}', *lines]))
    assert await run(shop, file) == {Outcome.INVALID: 1, Outcome.OK: 40}
    rewrite(file, "\n".join([*lines, '{"sku": "S1", "receive": 1}']))
    assert await run(shop, file) == {Outcome.DONE_BEFORE: 40, Outcome.OK: 1}
    assert len(shop.done) == 41


async def test_what_was_refused_is_asked_again_by_a_later_run(shop: Shop, file: Path):
    shop.refuse = 3
    assert await run(shop, file) == {Outcome.REFUSED: 3, Outcome.OK: 37}
    refused = [json.loads(row) for row in file.with_suffix(".results").read_text().splitlines()]
    assert [row["code"] for row in refused if row["outcome"] == "refused"] == ["STOCK_LIMIT"] * 3
    assert await run(shop, file) == {Outcome.DONE_BEFORE: 37, Outcome.OK: 3}
    assert len(shop.done) == 40


async def test_a_run_that_was_broken_off_goes_on_where_it_was(shop: Shop, file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    broken = Shop()
    broken.replies, broken.done = shop.replies, shop.done

    async def breaks(path: str, body: Mapping[str, Any], key: str) -> Answer:
        broken.away = int(len(broken.done) >= 12)
        return await broken(path, body, key)

    with Results(file.with_suffix(".results")) as results, pytest.raises(GivenUp, match="what is done is not repeated"):
        await Importer(COUNTS, breaks, resolve, results, at_once=4, dry_run=False).run(read(file), lambda _: None)
    half_written(file.with_suffix(".results"))
    done = await run(shop, file)
    assert done[Outcome.DONE_BEFORE] + done[Outcome.OK] == 40
    assert len(shop.done) == 40


def half_written(path: Path) -> None:
    """As by a process that was killed while it wrote."""
    path.write_text(path.read_text() + '{"line": 3, "outc')


async def test_a_moment_without_the_log_is_waited_out(shop: Shop, file: Path):
    shop.away = 20
    assert await run(shop, file) == {Outcome.OK: 40}


async def test_a_dry_run_sends_nothing_and_notes_nothing(shop: Shop, file: Path):
    assert await run(shop, file, dry_run=True) == {Outcome.OK: 40}
    assert not shop.done
    assert not file.with_suffix(".results").exists()
