"""What a document selects of a type: fields by the names they have in the answer, fragments and directives resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
    is_object_type,
)

Selected = Mapping[str, list[FieldNode]]
"""By response key; several nodes of one key are one field whose selections are merged."""


class NotCovered(Exception):
    """The tables do not have it."""


class Selection:
    """`flags` are the values of the variables that directives use."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], flags: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._flags = flags

    def of(self, sets: Iterable[SelectionSetNode | None], type: str) -> Selected:
        """Raises NotCovered."""
        found: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        for nodes in sets:
            if nodes is not None:
                self._collect(nodes, type, found, spread)
        return found

    def below(self, nodes: list[FieldNode], type: str) -> Selected:
        return self.of((node.selection_set for node in nodes), type)

    def _collect(self, nodes: SelectionSetNode, type: str, found: dict[str, list[FieldNode]], spread: set[str]) -> None:
        """Each fragment is `spread` once: twenty that spread each other twice would be a million."""
        for node in nodes.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
                continue
            inner: Any = node
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in spread:
                    continue
                spread.add(node.name.value)
                inner = self._fragments[node.name.value]
            if self._applies(inner.type_condition, type):
                self._collect(inner.selection_set, type, found, spread)

    def _applies(self, condition: Any, type: str) -> bool:
        if condition is None or condition.name.value == type:
            return True
        abstract, object = self._schema.get_type(condition.name.value), self._schema.get_type(type)
        if abstract is None or object is None:
            raise NotCovered(condition.name.value)
        return is_abstract_type(abstract) and is_object_type(object) and self._schema.is_sub_type(abstract, object)

    def _included(self, node: Any) -> bool:
        return all(self._holds(directive) for directive in node.directives or ())

    def _holds(self, directive: Any) -> bool:
        name = directive.name.value
        if name not in {"include", "skip"}:
            raise NotCovered(name)
        match directive.arguments[0].value:
            case BooleanValueNode(value=value):
                holds = value
            case VariableNode(name=variable) if isinstance(self._flags.get(variable.value), bool):
                holds = self._flags[variable.value]
            case _:
                raise NotCovered(name)
        return bool(holds) is (name == "include")


def flags_in(sets: Iterable[SelectionSetNode]) -> set[str]:
    """The names of the variables that directives use."""
    return {
        argument.value.name.value
        for node in every(sets)
        for directive in node.directives or ()
        for argument in directive.arguments or ()
        if isinstance(argument.value, VariableNode)
    }


def every(sets: Iterable[SelectionSetNode]) -> Iterator[Any]:
    waiting = list(sets)
    while waiting:
        for node in waiting.pop().selections:
            yield node
            if inner := getattr(node, "selection_set", None):
                waiting.append(inner)
