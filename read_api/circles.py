"""Lists without pages that are selected again within themselves by way of something else.

Each such way multiplies the list by itself, and no front end needs it: a variant has the product it is of. What
goes straight down, as the children of children do, is no such way: it brings nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)

from read_api.errors import DocumentTooComplex
from read_api.sizes import SIZES

Parent = GraphQLNamedType | None
NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Lists:
    """In a selection: those that are selected right there, and those that are reached by something else."""

    near: frozenset[str] = NOTHING
    far: frozenset[str] = NOTHING

    def beside(self, other: Lists) -> Lists:
        return Lists(self.near | other.near, self.far | other.far)


class Circles:
    """Each fragment is looked through once."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._known: dict[str, Lists] = {}

    def refuse(self, operation: OperationDefinitionNode) -> None:
        """Raises DocumentTooComplex."""
        self._set(operation.selection_set, self._schema.get_root_type(operation.operation))

    def _set(self, selections: SelectionSetNode | None, parent: Parent) -> Lists:
        lists = Lists()
        for node in selections.selections if selections else ():
            lists = lists.beside(self._node(node, parent))
        return lists

    def _node(self, node: Any, parent: Parent) -> Lists:
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if not isinstance(node, FragmentSpreadNode):
            return self._within(node, parent)
        name = node.name.value
        if name not in self._known:
            self._known[name] = Lists()  # a fragment within itself is refused before
            self._known[name] = self._within(self._fragments[name], parent)
        return self._known[name]

    def _within(self, node: Any, parent: Parent) -> Lists:
        condition = node.type_condition
        return self._set(node.selection_set, self._schema.get_type(condition.name.value) if condition else parent)

    def _field(self, node: FieldNode, parent: Parent) -> Lists:
        field = self._schema.get_field(parent, node.name.value) if is_composite_type(parent) else None
        if parent is None or field is None:
            return Lists()
        inner = self._set(node.selection_set, get_named_type(field.type))
        name = f"{parent.name}.{node.name.value}"
        if name not in SIZES:
            return Lists(far=inner.near | inner.far)
        if name in inner.far:
            raise DocumentTooComplex(
                f"the document has the list {name} within itself by way of something else: ask for one of them apart"
            )
        return Lists(frozenset({name}), inner.far | inner.near - {name})
