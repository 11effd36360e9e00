"""Lines of both formats, and what is said of those that are no commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from infra.batch import plans
from infra.batch.lines import BadLine, Line, UnknownFormat, read

SHIRT = UUID(int=7)


def written(path: Path, text: str) -> list[Line]:
    path.write_text(text, encoding="utf-8")
    return list(read(path))


async def resolve(sku: str) -> UUID | None:
    return SHIRT if sku == "SHIRT" else None


def line(fields: dict[str, Any]) -> Line:
    return Line(1, fields, "", "name")


def test_json_lines_and_csv_say_the_same(tmp_path: Path):
    (json,) = written(tmp_path / "a.jsonl", '\n{"sku": "SHIRT", "count": "5"}\n')
    (csv,) = written(tmp_path / "a.csv", "\ufeffsku,count,reason\nSHIRT, 5 ,\n")
    assert json.fields == csv.fields == {"sku": "SHIRT", "count": "5"}
    assert (json.number, csv.number) == (2, 2)


def test_equal_lines_have_names_of_their_own_wherever_they_stand(tmp_path: Path):
    a, b = '{"sku": "A", "receive": 1}\n', '{"sku": "B", "receive": 1}\n'
    first = [one.name for one in written(tmp_path / "a.jsonl", a + a + b)]
    again = [one.name for one in written(tmp_path / "b.jsonl", b + a + '{"receive": 1, "sku": "A"}\n')]
    assert len(set(first)) == 3
    assert set(first) == set(again)


@pytest.mark.parametrize(
    "name,text,fault",
    [
        ("a.jsonl", "{", "not JSON"),
        ("a.jsonl", "[1]", "not a JSON object"),
        ("a.csv", "sku,count\nA,1,2", "more cells than columns"),
        ("a.csv", 'sku,count\n"A"x,1', "not CSV"),
    ],
)
def test_what_is_no_line_is_said_and_the_rest_goes_on(tmp_path: Path, name: str, text: str, fault: str):
    (one,) = written(tmp_path / name, text)
    assert fault in one.fault


def test_other_formats_are_refused(tmp_path: Path):
    with pytest.raises(UnknownFormat, match=r"a\.xlsx is neither CSV nor JSON Lines"):
        list(read(tmp_path / "a.xlsx"))


FLAT = {"sku": "SHIRT", "name": "Shirt", "amount": "1250", "currency": "EUR"}


async def test_a_flat_line_is_a_product_with_one_variant():
    fields = {**FLAT, "attribute:colour": "red", "activate": "yes"}
    draft, activate = await plans.products(line(fields), resolve)
    assert draft.body["variants"] == [{"sku": "SHIRT", "price": {"amount": 1250, "currency": "EUR"}}]
    assert draft.body["attributes"] == {"colour": "red"}
    assert activate.path == f"/v1/products/{draft.body['id']}/activate"
    draft.check()


@pytest.mark.parametrize(
    "change,fault",
    [
        ({"colour": "red"}, "unknown colour; there are"),
        ({"amount": "12.50"}, "amount must be a whole number, not '12.50'"),
        ({"amount": 12.5}, "amount must be a whole number"),
        ({"activate": "perhaps"}, "activate is true or false"),
        ({"currency": "XXX"}, "/variants/0/price/currency"),
        ({"name": ""}, "/name"),
        ({"id": "x"}, "/id"),
    ],
)
async def test_products_that_are_none(change: dict[str, Any], fault: str):
    with pytest.raises(BadLine, match=fault):
        (await plans.products(line(FLAT | change), resolve))[0].check()


async def test_a_flat_line_needs_its_columns():
    with pytest.raises(BadLine, match="amount, currency is missing"):
        await plans.products(line({"sku": "A", "name": "B"}), resolve)


@pytest.mark.parametrize(
    "fields,path,body",
    [
        ({"receive": "5"}, "receive", {"quantity": 5}),
        ({"count": 0}, "count", {"counted": 0}),
        ({"adjust": "-2", "reason": "LOST"}, "adjust", {"change": -2, "reason": "LOST"}),
        ({"threshold": 3}, "set-threshold", {"threshold": 3}),
    ],
)
async def test_stock_moves(fields: dict[str, Any], path: str, body: dict[str, Any]):
    (step,) = await plans.stock(line({"sku": "SHIRT", **fields}), resolve)
    assert (step.path, step.body) == (f"/v1/stock/{SHIRT}/{path}", body)
    step.check()


@pytest.mark.parametrize(
    "fields,fault",
    [
        ({"sku": "SHIRT"}, "exactly one of receive, adjust, count, threshold is needed, there are 0"),
        ({"sku": "SHIRT", "receive": 1, "count": 2}, "there are 2"),
        ({"sku": "SHIRT", "recieve": 1}, "unknown recieve"),
        ({"sku": "NONE", "count": 1}, "no variant has the SKU NONE"),
        ({"count": 1}, "either sku or variantId"),
        ({"variantId": "x", "count": 1}, "'x' is not a UUID"),
        ({"sku": "SHIRT", "count": 1, "reason": "LOST"}, "only adjust takes a reason"),
        ({"sku": "SHIRT", "adjust": 1}, "/reason"),
        ({"sku": "SHIRT", "receive": "-1"}, "/quantity"),
        ({"sku": "SHIRT", "receive": True}, "receive must be a whole number"),
    ],
)
async def test_stock_moves_that_are_none(fields: dict[str, Any], fault: str):
    with pytest.raises(BadLine, match=fault):
        (await plans.stock(line(fields), resolve))[0].check()
