"""What an operation costs: one for every object it may bring, so a page counts as often as it has nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

MAX_COST: Final = 5_000
MAX_PAGE: Final = 100  # nodes

SIZED_BY: Final = frozenset({"first", "last", "ids"})
"""Arguments that say how many objects a list may bring: a number, or a list with so many values."""

FREE: Final = ("Connection", "Edge", "PageInfo", "Change")
"""What the types are called that only hold others."""

SIZES: Final[dict[str, int]] = {"categories": 500}
"""Lists of the root that have no pages."""

Fragments = Mapping[str, FragmentDefinitionNode]
Parent = GraphQLNamedType | None
Sizes = Mapping[str, int]


class Cost:
    """The cost of one operation, as a function of its variables."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._defaults = {v.variable.name.value: v.default_value for v in operation.variable_definitions or ()}
        sizes = set(self._sizes([operation.selection_set, *(f.selection_set for f in fragments.values())]))
        self._variables = sorted(sizes)
        self._known: dict[tuple[Any, ...], int] = {}

    def of(self, variables: Mapping[str, Any] | None) -> int:
        sizes = {name: self._size(name, variables or {}) for name in self._variables}
        key = tuple(sizes.values())
        if (known := self._known.get(key)) is None:
            if len(self._known) > 100:
                self._known.clear()
            root = self._schema.get_root_type(self._operation.operation)
            known = self._known[key] = self._set(self._operation.selection_set, root, sizes, {})
        return known

    def _size(self, name: str, variables: Mapping[str, Any]) -> int:
        if name in variables:
            value = variables[name]
            return len(value) if isinstance(value, list) else value if isinstance(value, int) else 1
        default = self._defaults.get(name)
        return written(default, {}) if default else 1

    def _sizes(self, sets: list[SelectionSetNode]) -> Iterator[str]:
        """The names of the variables that say how much is asked for."""
        while sets:
            for node in sets.pop().selections:
                for argument in getattr(node, "arguments", None) or ():
                    if argument.name.value in SIZED_BY and isinstance(argument.value, VariableNode):
                        yield argument.value.name.value
                if inner := getattr(node, "selection_set", None):
                    sets.append(inner)

    def _set(
        self,
        selections: SelectionSetNode,
        parent: Parent,
        sizes: Sizes,
        known: dict[str, int],
    ) -> int:
        return sum(self._node(node, parent, sizes, known) for node in selections.selections)

    def _node(self, node: Any, parent: Parent, sizes: Sizes, known: dict[str, int]) -> int:
        if isinstance(node, FieldNode):
            return self._field(node, parent, sizes, known)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in known:
                known[name] = 0  # a fragment within itself is refused before
                known[name] = self._within(self._fragments[name], parent, sizes, known)
            return known[name]
        return self._within(node, parent, sizes, known)

    def _within(self, node: Any, parent: Parent, sizes: Sizes, known: dict[str, int]) -> int:
        condition = node.type_condition
        narrowed = self._schema.get_type(condition.name.value) if condition else parent
        return self._set(node.selection_set, narrowed, sizes, known)

    def _field(self, node: FieldNode, parent: Parent, sizes: Sizes, known: dict[str, int]) -> int:
        field = getattr(parent, "fields", {}).get(node.name.value)
        if field is None or node.selection_set is None:
            return 0
        named = get_named_type(field.type)
        inner = self._set(node.selection_set, named, sizes, known)
        if not is_composite_type(named) or named.name.startswith("__"):
            return 0
        return self._times(node, parent, sizes) * (inner + (not named.name.endswith(FREE)))

    def _times(self, node: FieldNode, parent: Parent, sizes: Sizes) -> int:
        """How many objects there may be of the field; a list without pages, such as the lines of an order, is one."""
        given = [a.value for a in node.arguments or () if a.name.value in SIZED_BY]
        if not given:
            return SIZES.get(node.name.value, 1) if parent is self._schema.query_type else 1
        return min(max(1, *(written(value, sizes) for value in given)), MAX_PAGE)


def written(value: ValueNode, sizes: Mapping[str, int]) -> int:
    match value:
        case IntValueNode():
            return int(value.value[:9])
        case ListValueNode():
            return len(value.values)
        case VariableNode():
            return sizes.get(value.name.value, 1)
        case _:
            return 1
