"""The arguments of a root field, as its resolver would get them, and what of them shapes the SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField
from graphql.execution.values import VariableValues, get_argument_values
from strawberry import UNSET
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from projections.listing import Condition, Mark, Ordering
from read_api.compiled.roots import ARGUMENTS, Root
from read_api.compiled.selection import NotCovered
from read_api.cursor import Cursors
from read_api.paging import paging
from read_api.scalars import uuid_of
from read_api.schema import Schema


@dataclass(frozen=True, slots=True)
class Listed:
    """A page that is asked for: `where` without what the actor's own rows are."""

    of: str  # list and ordering, as cursors know them
    ordering: Ordering
    where: Sequence[Condition]
    size: int
    backward: bool
    after: Mark | None
    before: Mark | None


@dataclass(frozen=True, slots=True)
class One:
    """An object by its id, which is nobody's if None."""

    where: Sequence[Condition]


Wanted = Listed | One


class Arguments:
    """Reads those of one root field of one document."""

    def __init__(self, schema: Schema, root: Root, node: FieldNode) -> None:
        definition = schema._schema.query_type
        assert definition is not None
        self._schema = schema
        self._root = root
        self._node = node
        self._field: GraphQLField = definition.fields[node.name.value]
        self._strawberry: StrawberryField = self._field.extensions["strawberry-definition"]
        if unknown := {argument.name.value for argument in node.arguments or ()} - ARGUMENTS:
            raise NotCovered(f"{node.name.value}({', '.join(unknown)}:)")

    def read(self, variables: VariableValues | None, cursors: Cursors) -> Wanted:
        """Raises what the resolver would."""
        given = get_argument_values(self._field, self._node, variables)
        schema = self._schema
        values = convert_arguments(
            given, self._strawberry.arguments, schema.schema_converter.scalar_registry, schema.config
        )
        if self._root.oneself:
            return One([])
        if self._root.by_id:
            return One([Condition("id", "eq", uuid_of(values["id"]))])
        return self._listed(values, cursors)

    def _listed(self, values: dict[str, Any], cursors: Cursors) -> Listed:
        asked = paging(values)
        order_by = values["order_by"] if "order_by" in values else self._default("order_by")
        of = f"{self._root.listing.table.name} {order_by.name}"
        return Listed(
            of,
            order_by.value,
            list(self._root.where(values.get("where", UNSET))),
            asked.size,
            asked.backward,
            cursors.open(of, asked.after, "after") if asked.after is not None else None,
            cursors.open(of, asked.before, "before") if asked.before is not None else None,
        )

    def _default(self, name: str) -> Any:
        return next(a.default for a in self._strawberry.arguments if a.python_name == name)
