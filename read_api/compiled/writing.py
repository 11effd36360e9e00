"""SQL expressions that give a selection as JSON text, letter for letter as the executor's answer is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from graphql import FieldNode

from read_api.compiled.selection import NotCovered, Selected, Selection
from read_api.compiled.shapes import Fields, Leaf, Part, Related

MOST_ARGUMENTS: Final = 90  # of PostgreSQL's 100
COLUMNS: Final = re.compile(r" AS t\d+\(([^)]*)\)")
KEY: Final = re.compile("[_A-Za-z][_0-9A-Za-z]*")


class Writer:
    """Writes for staff, or for everybody else. Raises NotCovered for what is not in the tables."""

    def __init__(self, selection: Selection, *, staff: bool) -> None:
        self.selection = selection
        self._staff = staff
        self._numbers = count(1)

    def name(self) -> str:
        """A fresh name for rows."""
        return f"t{next(self._numbers)}"

    def object(self, selected: Selected, type: str, fields: Fields, row: str, parent: str = "") -> str:
        """An expression of type text, never null. `row` and `parent` are names of rows."""
        return concat(self.object_parts(selected, type, fields, row, parent))

    def object_parts(self, selected: Selected, type: str, fields: Fields, row: str, parent: str) -> Iterator[str]:
        return braced((key, self._field(nodes, type, fields, row, parent)) for key, nodes in selected.items())

    def _field(self, nodes: list[FieldNode], type: str, fields: Fields, row: str, parent: str) -> Iterator[str]:
        name = nodes[0].name.value
        if name == "__typename":
            yield literal(f'"{type}"')
            return
        field = fields.get(name)
        if field is None or any(node.arguments for node in nodes):
            raise NotCovered(f"{type}.{name}")
        match field:
            case Leaf():
                yield from self._leaf(field, row, parent)
            case Part() | Related():
                yield from self._below(self.selection.below(nodes, field.type), field, row, parent)

    def _leaf(self, leaf: Leaf, row: str, parent: str) -> Iterator[str]:
        if leaf.staff and not self._staff:
            yield literal("null")
            return
        mark = literal('"')
        sql = leaf.sql.format(t=row, p=parent)
        yield from (mark, sql, mark) if leaf.quoted else (sql,)

    def _below(self, selected: Selected, field: Part | Related, row: str, parent: str) -> Iterator[str]:
        if isinstance(field, Related):
            yield self._related(selected, field, row)
            return
        parts = self.object_parts(selected, field.type, field.fields, row, parent)
        if field.present:
            yield f"CASE WHEN {field.present.format(t=row, p=parent)} THEN {concat(parts)} ELSE 'null' END"
        else:
            yield from parts

    def _related(self, selected: Selected, field: Related, row: str) -> str:
        name = self.name()
        object = self.object(selected, field.type, field.fields, name, row)
        source = narrowed(field.source.format(t=row, n=name), name, object)
        if field.many:
            # a sum over nothing but the outer row's columns would be taken for one of the outer query
            return f"(SELECT concat('[', string_agg(o, ','), ']') FROM (SELECT {object} AS o FROM {source}) i)"
        return f"coalesce((SELECT {object} FROM {source}), 'null')"


def narrowed(source: str, name: str, object: str) -> str:
    """Without the columns of a record set that nothing uses: each is looked for in every object of the JSON."""
    if (found := COLUMNS.search(source)) is None:
        return source
    used = object + source[found.end() :]
    all = found[1].split(", ")
    columns = [column for column in all if f"{name}.{column.partition(' ')[0]}" in used] or all[:1]
    return f"{source[: found.start(1)]}{', '.join(columns)}{source[found.end(1) :]}"


def braced(entries: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """The parts of an object. Each entry is a response key with the parts of its value; there may be none."""
    yield literal("{")
    comma = ""
    for key, value in entries:
        yield literal(f"{comma}{quoted(key)}:")
        comma = ","
        yield from value
    yield literal("}")


def literal(text: str) -> str:
    """Nothing in it is a client's: response keys have been looked at."""
    return f"'{text}'"


def quoted(key: str) -> str:
    if not KEY.fullmatch(key):
        raise NotCovered(key)
    return f'"{key}"'


def concat(parts: Iterator[str]) -> str:
    """One text of many. None of them is null: concat would leave it out."""
    joined: list[str] = []
    for part in parts:
        if joined and part[0] == "'" == joined[-1][0] and is_literal(part) and is_literal(joined[-1]):
            joined[-1] = joined[-1][:-1] + part[1:]
        else:
            joined.append(part)
    while len(joined) > MOST_ARGUMENTS:
        joined = [
            f"concat({', '.join(joined[start : start + MOST_ARGUMENTS])})"
            for start in range(0, len(joined), MOST_ARGUMENTS)
        ]
    return joined[0] if len(joined) == 1 and is_literal(joined[0]) else f"concat({', '.join(joined)})"


def is_literal(part: str) -> bool:
    return part[0] == "'" == part[-1] and "'" not in part[1:-1]
