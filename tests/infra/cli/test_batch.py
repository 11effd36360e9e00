"""`chobo import` beside a running `chobo up`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.embedded import EmbeddedPostgres
from tests.infra.cli.process import Up, chobo, lines, running
from tests.infra.stored import execute


@pytest.fixture(scope="module")
def data(installed: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("import"))


@pytest.fixture(scope="module")
def up(data):
    with running(data) as up:
        yield up


def imported(kind: str, file: Path, data: Path, *more: str) -> tuple[int, list[dict[str, Any]]]:
    done = chobo("import", kind, str(file), "--reason", "a test", "--yes", "--data", str(data), "--json", *more)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, lines(done)


def on_hand(data: Path) -> list[int]:
    events = execute(
        EmbeddedPostgres(data).conninfo(),
        "SELECT convert_from(state, 'utf8')::json ->> 'quantity' FROM products.stored_events"
        " WHERE topic = 'products.stock-received' ORDER BY notification_id",
    )
    return [int(quantity) for (quantity,) in events]


def test_products_and_then_their_stock(up: Up, data: Path, tmp_path: Path):
    csv = tmp_path / "shirts.csv"
    rows = [f"SHIRT-{n},Shirt {n},{1000 + n},EUR,blue,true" for n in range(20)]
    csv.write_text("sku,name,amount,currency,attribute:colour,activate\n" + "\n".join([*rows, "SHIRT-3,Twin,1,EUR,,"]))
    code, results = imported("products", csv, data, "--dry-run")
    assert (code, results[-1]) == (0, {"counts": {"ok": 21}})
    code, results = imported("products", csv, data)
    assert (code, results[-1]) == (1, {"counts": {"ok": 20, "refused": 1}})
    (refused,) = [row for row in results if row.get("outcome") == "refused"]
    assert refused["code"] == "SKU_TAKEN"
    code, results = imported("products", csv, data)
    assert results[-1] == {"counts": {"refused": 1, "done before": 20}}

    stock = tmp_path / "delivery.jsonl"
    said = [{"sku": f"shirt-{n % 4}", "receive": n + 1} for n in range(12)] + [{"sku": "HAT", "receive": 1}]
    stock.write_text("\n".join(map(json.dumps, said)))
    code, results = imported("stock", stock, data, "--batch", "4711")
    assert (code, results[-1]) == (1, {"counts": {"ok": 12, "invalid": 1}})
    assert sorted(on_hand(data)) == list(range(1, 13))
    (tmp_path / "delivery.jsonl.results.jsonl").unlink()
    imported("stock", stock, data, "--batch", "4711")
    assert len(on_hand(data)) == 12
    imported("stock", stock, data, "--batch", "4712", "--results", str(tmp_path / "4712"))
    assert len(on_hand(data)) == 24
    assert chobo("verify", "log", "--data", str(data)).returncode == 0
    audit = chobo("audit", "--data", str(data)).stdout
    assert "products.import" in audit
    assert "stock.import" in audit


def test_stock_needs_the_name_of_the_delivery(up: Up, data: Path, tmp_path: Path):
    (tmp_path / "a.csv").write_text("sku,receive\n")
    done = chobo("import", "stock", str(tmp_path / "a.csv"), "--reason", "x", "--yes", "--data", str(data))
    assert done.returncode == 2
    assert "--batch" in done.stderr
