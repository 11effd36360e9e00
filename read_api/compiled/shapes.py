"""How the fields of a type are got at in SQL: a table of them for each type.

In templates `{t}` is the row of the type itself, and `{p}` the row that it came with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Leaf:
    """`sql` gives the JSON as text and is never null; `quoted` without its quotation marks, of what needs no escapes.

    Who does not work here sees null in the place of what is for `staff`.
    """

    sql: str
    quoted: bool = False
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """An object made of the same row. Null unless the condition `present` holds; "" for always."""

    type: str
    fields: Fields
    present: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """The object, or with `many` the objects, of other rows. `source` is what stands behind FROM, `{n}` its name."""

    type: str
    fields: Fields
    source: str
    many: bool = False


Field = Leaf | Part | Related
Fields = Mapping[str, Field]

SECONDS: Final = """'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'"""
MICROSECONDS: Final = """'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'"""


def number(sql: str) -> Leaf:
    return Leaf(sql)


def text(sql: str) -> Leaf:
    return Leaf(f"to_json({sql})")


def word(sql: str) -> Leaf:
    """An id, or a value of an enum: a text without anything to escape."""
    return Leaf(sql, quoted=True)


def moment(sql: str) -> Leaf:
    """Of a timestamptz, as Python's isoformat writes it; in UTC, wherever the session of the database says it is."""
    form = f"CASE WHEN {sql} = date_trunc('second', {sql}) THEN {SECONDS} ELSE {MICROSECONDS} END"
    return Leaf(f"to_char({sql} AT TIME ZONE interval '0', {form})", quoted=True)


def moment_in(sql: str) -> Leaf:
    """Of a moment within JSON, where it is a text and always in UTC."""
    return Leaf(f"replace({sql}, 'Z', '+00:00')", quoted=True)


def nullable(leaf: Leaf) -> Leaf:
    """Of what may be null. `||` and the casts below are null when one side is."""
    value = f"'\"' || {leaf.sql} || '\"'" if leaf.quoted else f"({leaf.sql})::text"
    return replace(leaf, sql=f"coalesce({value}, 'null')", quoted=False)


def for_staff(leaf: Leaf) -> Leaf:
    return replace(leaf, staff=True)


def money(amount: str, currency: str = "{t}.currency", present: str = "") -> Part:
    return Part("Money", {"amount": number(amount), "currency": word(currency)}, present)
