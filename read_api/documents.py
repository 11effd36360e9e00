"""Documents as they are worked with: parsed, measured and validated once, and then remembered by their text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)

from domain.errors import DomainError
from read_api.circles import Circles
from read_api.cost import MAX_COST, Cost
from read_api.errors import IntrospectionOff, InvalidDocument, QueryTooCostly
from read_api.lately import Lately
from read_api.limits import MAX_TOKENS, require_short, require_small, require_within_limits, too_complex

MOST_KNOWN: Final = 500
MAX_ERRORS: Final = 3
"""Each may have the whole of an argument in it, written out."""

LONGEST_TOLD: Final = 2_000  # letters of the errors of a document that is remembered as refused
SCHEMA: Final = "__schema"
INTROSPECTION: Final = frozenset({SCHEMA, "__type"})


class DocumentRefused(Exception):
    """Nothing of it is executed. Each of the errors has its place in the document."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a valid document, whose whole text is `text`. `plans` is room for quick ways to execute it."""

    text: str
    name: str | None
    node: OperationDefinitionNode
    document: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]
    cost: Cost
    plans: dict[Any, Any] = field(default_factory=dict)

    @property
    def is_query(self) -> bool:
        return self.node.operation is OperationType.QUERY


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request is for, and what that costs."""

    operation: Operation
    variables: Mapping[str, Any]
    cost: int


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    node: DocumentNode
    operations: Mapping[str | None, Operation]

    def named(self, name: str | None) -> Operation:
        """Raises DocumentRefused."""
        if name is None and len(self.operations) > 1:
            raise DocumentRefused(
                [error_of(InvalidDocument("the document has several operations: name one in operationName"))]
            )
        found = next(iter(self.operations.values())) if name is None else self.operations.get(name)
        if found is None:
            known = ", ".join(str(each) for each in self.operations if each)
            raise DocumentRefused([error_of(InvalidDocument(f"there is no operation {name!r:.100}, only {known}"))])
        return found


class Documents:
    """The documents that were asked for lately: those that are valid, and of others why they are not."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool = True, most: int = MOST_KNOWN) -> None:
        self._schema = schema
        self._introspection = introspection
        self._known: Lately[str, Document] = Lately(most)
        self._refused: Lately[bytes, list[GraphQLError]] = Lately(most)

    def ask(self, text: str, name: str | None, variables: Mapping[str, Any] | None) -> Asked:
        """Raises DocumentRefused."""
        operation = self.get(text).named(name)
        try:
            require_small(variables)
            cost = operation.cost.of(variables)
            if cost > MAX_COST:
                raise QueryTooCostly(cost, MAX_COST)
        except DomainError as refusal:
            raise DocumentRefused([error_of(refusal)]) from None
        return Asked(operation, variables or {}, cost)

    def get(self, text: str) -> Document:
        """Raises DocumentRefused."""
        return self._known.get(text) or self._known.put(text, self._made(text))

    def _made(self, text: str) -> Document:
        """Raises DocumentRefused, for the same text always for the same reason."""
        digest = blake2b(text.encode(errors="surrogatepass"), digest_size=32).digest()
        if (errors := self._refused.get(digest)) is not None:
            raise DocumentRefused(errors)
        try:
            return self._checked(text)
        except DomainError as refusal:
            errors = [error_of(refusal.with_traceback(None))]  # it would hold this very frame, and the document
        except DocumentRefused as refusal:
            errors = refusal.errors
        self._remember(digest, errors)
        raise DocumentRefused(errors)

    def _remember(self, digest: bytes, errors: Sequence[GraphQLError]) -> None:
        if sum(len(error.message) for error in errors) <= LONGEST_TOLD:
            self._refused.put(digest, [without_document(error) for error in errors])

    def _checked(self, text: str) -> Document:
        """Raises DomainError, DocumentRefused."""
        require_short(text)
        node = parsed(text)
        require_within_limits(node)
        self._require_introspection(node)
        if errors := faults(self._schema, node):
            raise DocumentRefused(errors)
        fragments = {d.name.value: d for d in node.definitions if isinstance(d, FragmentDefinitionNode)}
        circles = Circles(self._schema, fragments)
        operations: dict[str | None, Operation] = {}
        for definition in node.definitions:
            if isinstance(definition, OperationDefinitionNode):
                circles.refuse(definition)
                name = definition.name.value if definition.name else None
                cost = Cost(self._schema, definition, fragments)
                operations[name] = Operation(text, name, definition, node, fragments, cost)
        if not operations:
            raise InvalidDocument("the document has no operation")
        return Document(node, operations)

    def _require_introspection(self, node: DocumentNode) -> None:
        """Raises IntrospectionOff, DocumentTooComplex."""
        asked = [name for each in fields(node) if (name := each.name.value) in INTROSPECTION]
        if asked and not self._introspection:
            raise IntrospectionOff
        if (times := asked.count(SCHEMA)) > 1:
            raise too_complex(f"{SCHEMA} {times} times; once is allowed")


def parsed(text: str) -> DocumentNode:
    try:
        return untied(parse(text, max_tokens=MAX_TOKENS))
    except GraphQLError as error:
        if f"more than {MAX_TOKENS} tokens" in error.message:
            raise DocumentRefused([error_of(too_complex(f"more than {MAX_TOKENS} tokens"))]) from None
        if "nested too deeply" in error.message:
            raise DocumentRefused([error_of(too_complex("more levels than can be read"))]) from None
        raise DocumentRefused([error]) from None
    except RecursionError:
        raise DocumentRefused([error_of(too_complex("more levels than can be read"))]) from None


def faults(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """By the rules of the specification. What checks them, and the error that ends it, would hold themselves and with
    them the document: see `untied`."""
    asked: list[ASTValidationRule] = []

    def kept(rule: type[ASTValidationRule]) -> Any:
        def made(context: Any) -> ASTValidationRule:
            asked.append(rule(context))
            return asked[-1]

        return made

    errors = validate(schema, document, [kept(rule) for rule in specified_rules], MAX_ERRORS)
    for rule in asked:
        vars(rule).clear()
    return [error.with_traceback(None) for error in errors]


def untied(document: DocumentNode) -> DocumentNode:
    """Without the way back from each token to the one before: with it, documents that nobody has any more lie about
    until they are looked for, and whoever is served then waits for that."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        token.prev, token = None, token.next
    return document


def fields(document: DocumentNode) -> Iterator[FieldNode]:
    waiting: list[Any] = [d.selection_set for d in document.definitions if hasattr(d, "selection_set")]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                yield node
            if inner := getattr(node, "selection_set", None):
                waiting.append(inner)


def error_of(refusal: DomainError) -> GraphQLError:
    return GraphQLError(refusal.detail, original_error=refusal)


def without_document(error: GraphQLError) -> GraphQLError:
    """As it is told, without the document or anything else that it hangs on."""
    original = error.original_error
    if original is not None:
        original = original.with_traceback(None)
        original.__context__ = None
    alone = GraphQLError(error.message, original_error=original)
    alone.locations = error.locations
    return alone
