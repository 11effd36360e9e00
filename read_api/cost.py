"""What an operation costs: one for every object that it is taken to bring, so a list counts as often as it is long.

How long lists without pages are taken to be, and what has a price of its own, stands in the one table (`sizes`). What
is beside the nodes of a page, such as the facets of a search, counts once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    is_object_type,
)

from read_api.paging import MAX_PAGE
from read_api.sizes import A_PAST, AN_INTROSPECTION, SIZES, page_price, price

MAX_COST: Final = 5_000

SIZED_BY: Final = frozenset({"first", "last", "ids"})
"""Arguments that say how many objects a list may bring: a number, or a list with so many values."""

FREE: Final = ("Connection", "Edge", "PageInfo", "Change")
"""What the types are called that only hold others."""

PAGED: Final = frozenset({"edges", "nodes"})
"""What a connection has as often as its page is long."""

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
        name = node.name.value
        field = self._schema.get_field(parent, name) if is_composite_type(parent) else None
        if parent is None or field is None:
            return 0
        named = get_named_type(field.type)
        if named.name.startswith("__"):
            return AN_INTROSPECTION if any(is_more(each) for each in selected(node)) else len(selected(node))
        own = price(parent.name, name) + self._past(node)
        if node.selection_set is None:
            return own
        inner, times = self._set(node.selection_set, named, sizes, known), self._times(node, field, parent, sizes)
        if is_connection(named):
            return own + page_price(times) + inner.times(times)
        return own + times * (inner.once + (not named.name.endswith(FREE)))

    def _past(self, node: FieldNode) -> int:
        return A_PAST * any(argument.name.value == "asOf" for argument in node.arguments or ())

    def _times(self, node: FieldNode, field: GraphQLField, parent: GraphQLNamedType, sizes: Sizes) -> int:
        """How many objects there may be of the field."""
        if given := [a.value for a in node.arguments or () if sizes_it(a.name.value, field)]:
            return min(max(1, *(written(value, sizes) for value in given)), MAX_PAGE)
        return SIZES.get(f"{parent.name}.{node.name.value}", 1)


def selected(node: FieldNode) -> Sequence[SelectionNode]:
    return node.selection_set.selections if node.selection_set else ()


def is_more(node: SelectionNode) -> bool:
    """Than the value of a single field."""
    return not isinstance(node, FieldNode) or node.selection_set is not None


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


def require_sizes(schema: GraphQLSchema) -> None:
    """Raises TypeError if it cannot be said how long a list is."""
    for type in schema.type_map.values():
        if is_object_type(type) and not is_connection(type) and not type.name.startswith("__"):
            for name, field in type.fields.items():
                if is_list_of_objects(field) and f"{type.name}.{name}" not in SIZES:
                    raise TypeError(f"{type.name}.{name} is a list: say in read_api/sizes.py how long it is")


def is_list_of_objects(field: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(field.type)) and is_composite_type(get_named_type(field.type))
