"""What a document may not exceed. Counted over fragments as if they were written out, in one walk of the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)

from read_api.errors import DocumentTooComplex, VariablesTooLarge

MAX_DEPTH: Final = 10  # fields within fields
MAX_ALIASES: Final = 15
MAX_TOKENS: Final = 1_000
MAX_DIRECTIVES: Final = 30
MAX_REPEATED: Final = 50
"""Fields that are selected again under the same name: comparing each with each is what validation takes longest for."""

MAX_FIELDS: Final = 500  # with all fragments in their places
MAX_PAIRS: Final = 3_000
"""Of fields in one place that go by one name, and of fragments there. Validation compares each with each."""

MAX_WRITTEN: Final = 200  # values in arguments, nested ones too; more belong into variables
MAX_DEFINITIONS: Final = 100  # operations and fragments
MAX_LENGTH: Final = 50_000  # characters

MAX_VALUES: Final = 1_000  # of variables, nested ones too
MAX_LETTERS: Final = 20_000  # of all texts in variables


@dataclass(frozen=True, slots=True)
class Size:
    depth: int = 0
    aliases: int = 0
    directives: int = 0
    repeated: int = 0

    def beside(self, other: Size) -> Size:
        return Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.repeated + other.repeated,
        )


class Measure:
    """Sizes of selection sets. Each fragment is measured once, so that nested spreads do not multiply the work."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._sizes: dict[str, Size] = {}

    def of(self, selections: SelectionSetNode | None) -> Size:
        nodes = selections.selections if selections else ()
        size = Size(repeated=repeated(nodes))
        for node in nodes:
            size = size.beside(self._of_node(node))
        return size

    def _of_node(self, node: Any) -> Size:
        directives = len(node.directives or ())
        if isinstance(node, FragmentSpreadNode):
            return self._of_fragment(node.name.value).beside(Size(directives=directives))
        inner = self.of(node.selection_set)
        if not isinstance(node, FieldNode):
            return inner.beside(Size(directives=directives))
        depth = 0 if node.name.value.startswith("__") else inner.depth + 1
        return Size(depth, inner.aliases + (node.alias is not None), inner.directives + directives, inner.repeated)

    def _of_fragment(self, name: str) -> Size:
        if name not in self._sizes:
            self._sizes[name] = Size()  # a fragment within itself is refused by another rule
            fragment = self._fragments.get(name)
            self._sizes[name] = self.of(fragment.selection_set) if fragment else Size()
        return self._sizes[name]


def repeated(nodes: Any) -> int:
    names = Counter((node.alias or node.name).value for node in nodes if isinstance(node, FieldNode))
    return names.total() - len(names)


def compared(document: DocumentNode) -> tuple[int, int]:
    """Fields, and pairs that validation compares. Counts no further than a little beyond what is allowed."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    waiting = [[d.selection_set] for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fields = pairs = 0
    while waiting and fields <= MAX_FIELDS and pairs <= MAX_PAIRS:
        named, spreads = together(waiting.pop(), fragments)
        sizes = [len(nodes) for nodes in named.values()]
        fields += sum(sizes)
        pairs += sum(size * (size - 1) // 2 for size in (*sizes, spreads))
        waiting += [inner for nodes in named.values() if (inner := [n.selection_set for n in nodes if n.selection_set])]
    return fields, pairs


def together(
    sets: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[Mapping[str, list[FieldNode]], int]:
    """The fields that selections have together, by their names in the answer; and how often they spread fragments."""
    named: dict[str, list[FieldNode]] = {}
    spread: set[str] = set()
    spreads = 0
    waiting = list(sets)
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                named.setdefault((node.alias or node.name).value, []).append(node)
            elif not isinstance(node, FragmentSpreadNode):
                waiting.append(node.selection_set)  # type: ignore[attr-defined]
            else:
                spreads += 1
                if (fragment := fragments.get(node.name.value)) and node.name.value not in spread:
                    spread.add(node.name.value)
                    waiting.append(fragment.selection_set)
    return named, spreads


def written_values(document: DocumentNode) -> int:
    """In the arguments of fields."""
    selected: list[Any] = [d.selection_set for d in document.definitions if hasattr(d, "selection_set")]
    written: list[Any] = []
    while selected:
        for node in selected.pop().selections:
            written += [argument.value for argument in getattr(node, "arguments", None) or ()]
            if inner := getattr(node, "selection_set", None):
                selected.append(inner)
    return sum(1 for _ in nested(written))


def nested(waiting: list[Any]) -> Iterator[ValueNode]:
    while waiting:
        yield (value := waiting.pop())
        if isinstance(value, ListValueNode):
            waiting.extend(value.values)
        elif isinstance(value, ObjectValueNode):
            waiting.extend(field.value for field in value.fields)


def require_short(text: str) -> None:
    """Raises DocumentTooComplex."""
    within(len(text), MAX_LENGTH, "{} characters")


def require_within_limits(document: DocumentNode) -> None:
    """Raises DocumentTooComplex."""
    within(len(document.definitions), MAX_DEFINITIONS, "{} operations and fragments")
    within(written_values(document), MAX_WRITTEN, "{} values in arguments")
    measure = Measure(document)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size = measure.of(definition.selection_set)
            within(size.depth, MAX_DEPTH, "{} fields deep")
            within(size.aliases, MAX_ALIASES, "{} aliases")
            within(size.directives, MAX_DIRECTIVES, "{} directives")
            within(size.repeated, MAX_REPEATED, "{} fields that are selected more than once")
    fields, pairs = compared(document)
    within(fields, MAX_FIELDS, "{} fields or more")
    within(pairs, MAX_PAIRS, "{} or more pairs of fields or fragments to compare")


def within(count: int, maximum: int, what: str) -> None:
    if count > maximum:
        raise too_complex(f"{what.format(count)}; at most {maximum} are allowed")


def too_complex(what: str) -> DocumentTooComplex:
    return DocumentTooComplex(f"the document has {what}")


def require_small(variables: Mapping[str, Any] | None) -> None:
    """Raises VariablesTooLarge."""
    if not variables:
        return
    letters = 0
    for values, value in enumerate(every(variables)):
        letters += len(value) if isinstance(value, str) else 0
        if values > MAX_VALUES:
            raise VariablesTooLarge(f"more than {MAX_VALUES} values", MAX_VALUES)
        if letters > MAX_LETTERS:
            raise VariablesTooLarge(f"texts of more than {MAX_LETTERS} characters", MAX_LETTERS)


def every(value: Any) -> Iterator[Any]:
    """The values of a JSON value, itself too, and the names in its objects."""
    waiting = [value]
    while waiting:
        yield (value := waiting.pop())
        if isinstance(value, Mapping):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
