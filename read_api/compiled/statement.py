"""The one SQL statement of a query, made of a text for each of its root fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import FieldNode

from projections.listing import Condition, Ordering, condition
from projections.listing import past as past_mark
from read_api.compiled.asking import Listed, One, Wanted
from read_api.compiled.roots import Root
from read_api.compiled.selection import NotCovered, Selected
from read_api.compiled.shapes import MICROSECONDS, SECONDS
from read_api.compiled.writing import Writer, braced, concat, literal
from read_api.connection import MAX_COUNT

SIGN_HERE: Final = "\x01"
"""Around what a cursor is to be made of. JSON as PostgreSQL writes it has no such character unescaped."""


@dataclass(slots=True)
class Statement:
    """`lists` are what the cursors in the answer belong to, by the number that stands before each."""

    sql: str = ""
    values: list[Any] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)

    def placed(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


class RootWriter:
    """Writes the SQL of one root field into a statement."""

    def __init__(self, writer: Writer, root: Root, nodes: list[FieldNode], into: Statement) -> None:
        self._writer = writer
        self._root = root
        self._nodes = nodes
        self._into = into
        self._rows = f"reads.{root.listing.table.name}"

    def sql(self, wanted: Wanted, own: Sequence[Condition]) -> str:
        if isinstance(wanted, One):
            return self._one([*own, *wanted.where])
        return self._page(wanted, self._conditions([*own, *wanted.where]))

    def _one(self, where: Sequence[Condition]) -> str:
        selected = self._writer.selection.below(self._nodes, self._root.type)
        object = self._writer.object(selected, self._root.type, self._root.fields, "t")
        return f"coalesce((SELECT {object} FROM {self._rows} t{joined(self._conditions(where))}), 'null')"

    def _conditions(self, where: Sequence[Condition]) -> list[str]:
        return [self._numbered(condition(each)) for each in where]

    def _numbered(self, statement: Any) -> str:
        text: str = statement.query.as_string()
        for value in statement.values:
            text = text.replace("%s", self._into.placed(value), 1)
        return text

    # -- pages

    def _page(self, page: Listed, where: list[str]) -> str:
        type = f"{self._root.type}Connection"
        selected = self._writer.selection.below(self._nodes, type)
        outer = self._connection(selected, type, page, where)
        ordering = page.ordering
        ascending = ordering.descending is page.backward
        marks = [
            self._numbered(past_mark(ordering.column, mark, ascending=beyond))
            for mark, beyond in ((page.after, not ordering.descending), (page.before, ordering.descending))
            if mark is not None
        ]
        way = "ASC" if ascending else "DESC"
        order = f"ORDER BY t.{ordering.column} {way}, t.id {way}"
        found = f"SELECT t.* FROM {self._rows} t{joined([*where, *marks])} {order} LIMIT {page.size + 1}"
        columns = ", ".join(self._columns(page, order))
        # HAVING: one row, even where nothing is selected that makes a sum of the rows
        return f"(SELECT {outer} FROM (SELECT {columns} FROM ({found}) t) p HAVING true)"

    def _columns(self, page: Listed, order: str) -> Iterator[str]:
        """Of each row: `k`, its place in the direction of paging, and what of it is used."""
        number = f"row_number() OVER ({order})"
        yield f"{number} AS k"
        yield from (f"CASE WHEN {number} <= {page.size} THEN {sql} END AS {name}" for name, sql in self._used.items())

    def _connection(self, selected: Selected, type: str, page: Listed, where: list[str]) -> str:
        self._used: dict[str, str] = {}
        self._mark = self._signed(page)
        parts = ((key, self._connection_field(nodes, type, page, where)) for key, nodes in selected.items())
        return concat(braced(parts))

    def _connection_field(self, nodes: list[FieldNode], type: str, page: Listed, where: list[str]) -> Iterator[str]:
        match nodes[0].name.value:
            case "__typename":
                yield literal(f'"{type}"')
            case "nodes":
                below = self._writer.selection.below(nodes, self._root.type)
                yield self._list(self._object(below), page)
            case "edges":
                type = f"{self._root.type}Edge"
                below = self._writer.selection.below(nodes, type)
                yield self._list(concat(braced((key, self._edge_field(n, type)) for key, n in below.items())), page)
            case "pageInfo":
                below = self._writer.selection.below(nodes, "PageInfo")
                yield from braced((key, self._page_info_field(n[0], page)) for key, n in below.items())
            case "totalCount":
                yield f"least({self._count(where)}, {MAX_COUNT})"
            case "totalCountCapped":
                yield boolean(f"{self._count(where)} > {MAX_COUNT}")
            case other:
                raise NotCovered(other)

    def _object(self, selected: Selected) -> str:
        return self._writer.object(selected, self._root.type, self._root.fields, "t")

    def _edge_field(self, nodes: list[FieldNode], type: str) -> Iterator[str]:
        match nodes[0].name.value:
            case "__typename":
                yield literal(f'"{type}"')
            case "cursor":
                yield from (literal('"'), self._mark, literal('"'))
            case "node":
                yield self._object(self._writer.selection.below(nodes, self._root.type))
            case other:
                raise NotCovered(other)

    def _list(self, sql: str, page: Listed) -> str:
        """Of a text for each row."""
        name = f"c{len(self._used)}"
        self._used[name] = sql
        return f"concat('[', string_agg({name}, ',' ORDER BY k{' DESC' if page.backward else ''}), ']')"

    def _page_info_field(self, node: FieldNode, page: Listed) -> Iterator[str]:
        more = boolean(f"count(*) > {page.size}")
        behind = literal("true" if (page.before if page.backward else page.after) is not None else "false")
        match node.name.value:
            case "__typename":
                yield literal('"PageInfo"')
            case "hasNextPage":
                yield behind if page.backward else more
            case "hasPreviousPage":
                yield more if page.backward else behind
            case "startCursor":
                yield self._cursor_at(last=page.backward)
            case "endCursor":
                yield self._cursor_at(last=not page.backward)
            case other:
                raise NotCovered(other)

    def _cursor_at(self, *, last: bool) -> str:
        """Of the first or the last row in the direction of paging; null if there is none."""
        self._used["m"] = self._mark
        found = f"(array_agg(m ORDER BY k{' DESC' if last else ''}) FILTER (WHERE m IS NOT NULL))[1]"
        return f"coalesce('\"' || {found} || '\"', 'null')"

    def _count(self, where: list[str]) -> str:
        return f"(SELECT count(*) FROM (SELECT 1 FROM {self._rows} t{joined(where)} LIMIT {MAX_COUNT + 1}) c)"

    def _signed(self, page: Listed) -> str:
        """What a row's cursor is to be made of, for whoever has the secret."""
        lists = self._into.lists
        if page.of not in lists:
            lists.append(page.of)
        return (
            f"concat('{SIGN_HERE}{lists.index(page.of)}[', {sort_value(page.ordering)}, ',\"', t.id, '\"]{SIGN_HERE}')"
        )


def sort_value(ordering: Ordering) -> str:
    """As JSON, in the form that cursors have it."""
    column = f"t.{ordering.column}"
    if not ordering.column.endswith("_at"):
        return f"to_json({column})"
    forms = [form.replace('"+00:00"', '"Z"') for form in (SECONDS, MICROSECONDS)]
    form = f"CASE WHEN {column} = date_trunc('second', {column}) THEN {forms[0]} ELSE {forms[1]} END"
    return f"'\"', to_char({column} AT TIME ZONE interval '0', {form}), '\"'"


def boolean(sql: str) -> str:
    return f"CASE WHEN {sql} THEN 'true' ELSE 'false' END"


def joined(where: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(where) if where else ""
