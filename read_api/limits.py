"""What a document may not exceed. Counted over fragments as if they were written out, in one walk of the document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)
from strawberry.extensions import SchemaExtension

from read_api.errors import DocumentTooComplex, InvalidDocument

MAX_DEPTH: Final = 10  # fields within fields
MAX_ALIASES: Final = 15
MAX_TOKENS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Size:
    depth: int = 0
    aliases: int = 0

    def beside(self, other: Size) -> Size:
        return Size(max(self.depth, other.depth), self.aliases + other.aliases)


class Measure:
    """Sizes of selection sets. Each fragment is measured once, so that nested spreads do not multiply the work."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._sizes: dict[str, Size] = {}

    def of(self, selections: SelectionSetNode | None) -> Size:
        size = Size()
        for node in selections.selections if selections else ():
            size = size.beside(self._of_node(node))
        return size

    def _of_node(self, node: Any) -> Size:
        if isinstance(node, FragmentSpreadNode):
            return self._of_fragment(node.name.value)
        inner = self.of(node.selection_set)
        if not isinstance(node, FieldNode):
            return inner
        introspects = node.name.value.startswith("__")
        return Size(0 if introspects else inner.depth + 1, inner.aliases + (node.alias is not None))

    def _of_fragment(self, name: str) -> Size:
        if name not in self._sizes:
            self._sizes[name] = Size()  # a fragment within itself is refused by another rule
            fragment = self._fragments.get(name)
            self._sizes[name] = self.of(fragment.selection_set) if fragment else Size()
        return self._sizes[name]


class WithinLimits(ValidationRule):
    """Refuses documents that are too deep or have too many aliases."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        measure = Measure(context.document)
        for definition in context.document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                self._check(measure.of(definition.selection_set))

    def _check(self, size: Size) -> None:
        if size.depth > MAX_DEPTH:
            self.report_error(too_complex(f"{size.depth} fields deep; at most {MAX_DEPTH} are allowed"))
        if size.aliases > MAX_ALIASES:
            self.report_error(too_complex(f"{size.aliases} aliases; at most {MAX_ALIASES} are allowed"))


def too_complex(what: str) -> GraphQLError:
    refusal = DocumentTooComplex(f"the document has {what}")
    return GraphQLError(refusal.detail, original_error=refusal)


class Limits(SchemaExtension):
    """Puts the limits where the library looks for them: one tuple for all requests, so that its caches work."""

    def on_operation(self) -> Iterator[None]:
        context = self.execution_context
        context.parse_options["max_tokens"] = MAX_TOKENS
        context.validation_rules = (*context.validation_rules, WithinLimits)
        yield


class OneOperation(SchemaExtension):
    """Refuses a document of several operations when none is named; the library would run the first.

    Stands after the cache of validations in the list of extensions, for that sets the errors anew.
    """

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document, name = context.graphql_document, context._provided_operation_name  # operation_name is never None
        if not context.pre_execution_errors and name is None and document is not None and several(document):
            refusal = InvalidDocument("the document has several operations: say in operationName which one is meant")
            context.pre_execution_errors = [GraphQLError(refusal.detail, original_error=refusal)]
        yield


def several(document: DocumentNode) -> bool:
    return sum(isinstance(definition, OperationDefinitionNode) for definition in document.definitions) > 1
