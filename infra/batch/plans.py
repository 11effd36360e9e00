"""From a line to the commands it stands for. The formats are described in docs/import.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json

from commands.body import parsed
from commands.message import Command
from commands.problems import Problem
from commands.products import messages as m
from domain.ids import derive
from infra.batch.lines import BadLine, Line

ATTRIBUTE: Final = "attribute:"
CSV_PRODUCT: Final = frozenset({"id", "sku", "name", "description", "categoryId", "amount", "currency", "activate"})
MOVES: Final[Mapping[str, tuple[type[Command], str, str]]] = {
    "receive": (m.ReceiveStock, "receive", "quantity"),
    "adjust": (m.AdjustStock, "adjust", "change"),
    "count": (m.CountStock, "count", "counted"),
    "threshold": (m.SetThreshold, "set-threshold", "threshold"),
}
TRUE: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Resolve = Callable[[str], Awaitable[UUID | None]]
"""The variant that has a SKU."""


@dataclass(frozen=True, slots=True)
class Step:
    """One POST. `made`: that it was done by an earlier run shows by ALREADY_EXISTS, once its key is forgotten."""

    path: str
    body: Mapping[str, Any]
    message: type[Command]
    made: bool = False

    def check(self) -> None:
        """Raises BadLine when the command API would not understand it."""
        try:
            parsed(self.message, to_json(self.body))
        except Problem as problem:
            raise BadLine(problem.detail) from None


def products_subject(line: Line) -> str:
    """Lines of one subject are carried out in their order."""
    return str(line.fields.get("id") or line.fields.get("sku") or line.name)


async def products(line: Line, resolve: Resolve) -> list[Step]:
    """Draft, and activate if the line says so. Raises BadLine."""
    body = dict(line.fields)
    activate = _bool(body.pop("activate", False), "activate")
    if "variants" not in body:
        body = one_variant(body)
    made = "id" not in body
    id = body.setdefault("id", str(derive("import/products", line.name)))
    draft = Step("/v1/products", body, m.DraftProduct, made)
    return [draft, Step(f"/v1/products/{id}/activate", {}, m.ActivateProduct)] if activate else [draft]


def one_variant(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The body for a flat line: one product with one variant, attributes in columns of their own."""
    if unknown := sorted(name for name in fields if name not in CSV_PRODUCT and not name.startswith(ATTRIBUTE)):
        raise BadLine(f"unknown {', '.join(unknown)}; there are {', '.join(sorted(CSV_PRODUCT))}, {ATTRIBUTE}<name>")
    if missing := sorted({"sku", "name", "amount", "currency"} - fields.keys()):
        raise BadLine(f"{', '.join(missing)} is missing")
    price = {"amount": _int(fields["amount"], "amount"), "currency": fields["currency"]}
    body = {name: fields[name] for name in ("id", "name", "description", "categoryId") if name in fields}
    if attributes := {n.removeprefix(ATTRIBUTE): v for n, v in fields.items() if n.startswith(ATTRIBUTE)}:
        body["attributes"] = attributes
    return body | {"variants": [{"sku": fields["sku"], "price": price}]}


def stock_subject(line: Line) -> str:
    return str(line.fields.get("variantId") or line.fields.get("sku") or line.name).upper()


async def stock(line: Line, resolve: Resolve) -> list[Step]:
    """One movement of one variant. Raises BadLine."""
    fields = line.fields
    if unknown := sorted(fields.keys() - MOVES.keys() - {"sku", "variantId", "reason"}):
        raise BadLine(f"unknown {', '.join(unknown)}; there are sku, variantId, {', '.join(MOVES)}, reason")
    moves = [name for name in MOVES if name in fields]
    if len(moves) != 1:
        raise BadLine(f"exactly one of {', '.join(MOVES)} is needed, there are {len(moves)}")
    message, verb, field = MOVES[moves[0]]
    body: dict[str, Any] = {field: _int(fields[moves[0]], moves[0])}
    if moves[0] == "adjust":
        body["reason"] = fields.get("reason")
    elif "reason" in fields:
        raise BadLine("only adjust takes a reason")
    return [Step(f"/v1/stock/{await _variant(fields, resolve)}/{verb}", body, message)]


async def _variant(fields: Mapping[str, Any], resolve: Resolve) -> UUID:
    if ("sku" in fields) == ("variantId" in fields):
        raise BadLine("either sku or variantId is needed")
    if "variantId" in fields:
        try:
            return UUID(fields["variantId"])
        except (ValueError, TypeError, AttributeError):
            raise BadLine(f"variantId {fields['variantId']!r} is not a UUID") from None
    if (found := await resolve(str(fields["sku"]))) is None:
        raise BadLine(f"no variant has the SKU {fields['sku']}")
    return found


def _int(value: Any, name: str) -> int:
    """Of CSV it is text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadLine(f"{name} must be a whole number")
    try:
        return int(value)
    except ValueError:
        raise BadLine(f"{name} must be a whole number, not {value!r}; amounts are in cents or the like") from None


def _bool(value: Any, name: str) -> bool:
    known = value if isinstance(value, bool) else TRUE.get(str(value).lower())
    if known is None:
        raise BadLine(f"{name} is true or false, not {value!r}")
    return known
