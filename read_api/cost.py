"""What an operation costs: one for every object it may bring, so a page counts as often as it has nodes.

What is beside the nodes of a page, such as the facets of a search, counts once. What is no object and makes work all
the same has a price of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
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

PAGED: Final = frozenset({"edges", "nodes"})
"""What a connection has as often as its page is long."""

SIZES: Final[Mapping[str, int]] = {"categories": 500, "history": 100, "salesByDay": 100}
"""Lists of the root that have no pages, or have one unasked."""

A_FEW: Final = 3
FEW: Final = frozenset(
    {"Order.lines", "Order.timeline", "Order.notifications", "Product.variants", "Variant.priceHistory"}
)
"""Lists without pages that most things of the kind have several in. What has seldom more than one counts as one."""

PRICES: Final[Mapping[str, int]] = {"totalCount": 5, "totalCountCapped": 5, "facets": 50, "difference": 100}
"""Fields that make the database go through much more than they bring."""

A_PAST: Final = 50
"""Of a thing as it was (`asOf`), which is folded from its events."""

Fragments = Mapping[str, FragmentDefinitionNode]
Parent = GraphQLNamedType | None
Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Price:
    """Of a selection: `each` is what is in it for every node of a page, `once` the rest."""

    once: int = 0
    each: int = 0

    def times(self, size: int) -> int:
        return self.once + size * self.each


Known = dict[str, Price]


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
            known = self._known[key] = self._set(self._operation.selection_set, root, sizes, {}).once
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

    def _set(self, selections: SelectionSetNode, parent: Parent, sizes: Sizes, known: Known) -> Price:
        prices = [self._node(node, parent, sizes, known) for node in selections.selections]
        return Price(sum(price.once for price in prices), sum(price.each for price in prices))

    def _node(self, node: Any, parent: Parent, sizes: Sizes, known: Known) -> Price:
        if isinstance(node, FieldNode):
            cost = self._field(node, parent, sizes, known)
            return Price(each=cost) if is_connection(parent) and node.name.value in PAGED else Price(once=cost)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in known:
                known[name] = Price()  # a fragment within itself is refused before
                known[name] = self._within(self._fragments[name], parent, sizes, known)
            return known[name]
        return self._within(node, parent, sizes, known)

    def _within(self, node: Any, parent: Parent, sizes: Sizes, known: Known) -> Price:
        condition = node.type_condition
        narrowed = self._schema.get_type(condition.name.value) if condition else parent
        return self._set(node.selection_set, narrowed, sizes, known)

    def _field(self, node: FieldNode, parent: Parent, sizes: Sizes, known: Known) -> int:
        field = getattr(parent, "fields", {}).get(node.name.value)
        if field is None:
            return 0
        named = get_named_type(field.type)
        if named.name.startswith("__"):
            return 0
        own = PRICES.get(node.name.value, 0) + self._past(node)
        if node.selection_set is None or not is_composite_type(named):
            return own
        inner, times = self._set(node.selection_set, named, sizes, known), self._times(node, field, parent, sizes)
        if is_connection(named):
            return own + inner.times(times)
        return own + times * (inner.once + (not named.name.endswith(FREE)))

    def _past(self, node: FieldNode) -> int:
        return A_PAST * any(argument.name.value == "asOf" for argument in node.arguments or ())

    def _times(self, node: FieldNode, field: GraphQLField, parent: Parent, sizes: Sizes) -> int:
        """How many objects there may be of the field."""
        name = node.name.value
        if given := [a.value for a in node.arguments or () if sizes_it(a.name.value, field)]:
            return min(max(1, *(written(value, sizes) for value in given)), MAX_PAGE)
        if parent is self._schema.query_type and name in SIZES:
            return SIZES[name]
        return A_FEW if parent is not None and f"{parent.name}.{name}" in FEW else 1


def sizes_it(argument: str, field: GraphQLField) -> bool:
    """The first and the last day of something are no sizes."""
    return argument in SIZED_BY and get_named_type(field.args[argument].type).name in {"Int", "ID"}


def is_connection(type: Parent) -> bool:
    return type is not None and type.name.endswith("Connection")


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
