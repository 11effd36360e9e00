"""Documents made of what the tables of the compiled path have, in all the ways in which one may write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from read_api.compiled.roots import ROOTS, Root
from read_api.compiled.shapes import Fields, Leaf

Draw = Callable[[st.SearchStrategy[Any]], Any]

VARIABLES = {"yes": True, "no": False}
DIRECTIVES = st.sampled_from(
    ["", "", "", " @include(if: $yes)", " @skip(if: $yes)", " @include(if: $no)", " @skip(if: false)"]
)
WRAPS = st.sampled_from(["{}", "{}", "... {{ {} }}", "... @include(if: $yes) {{ {} }}", "... on Query {{ {} }}"])
LISTS = ("nodes", "edges")


class Maker:
    """Draws one document. Aliases are drawn sparingly: there may be 15."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._aliases = 0
        self._fragments: list[str] = []

    def document(self, ids: dict[str, list[str]]) -> str:
        names = self._draw(st.lists(st.sampled_from(sorted(ROOTS)), min_size=1, max_size=2, unique=True))
        roots = " ".join(self._root(name, ROOTS[name], ids) for name in names)
        head = "query ($yes: Boolean! = true, $no: Boolean! = false)"
        used = "y: __typename @include(if: $yes) n: __typename @include(if: $no)"
        return f"{head} {{ {used} {roots} {self._name('__typename')} }} {' '.join(self._fragments)}"

    def _root(self, name: str, root: Root, ids: dict[str, list[str]]) -> str:
        if root.oneself:
            return f"{self._name(name)} {{ {self._of(root.type, root.fields, 4)} }}"
        if root.by_id:
            id = self._draw(st.sampled_from([*ids[name], "00000000-0000-7000-8000-000000000000", "none"]))
            return f'{self._name(name)}(id: "{id}") {{ {self._of(root.type, root.fields, 4)} }}'
        size = self._draw(st.integers(1, 5))
        arguments = f"{self._draw(st.sampled_from(['first', 'last']))}: {size}"
        order = self._draw(st.sampled_from(["", ", orderBy: CREATED_AT_ASC", ", orderBy: CREATED_AT_DESC"]))
        return f"{self._name(name)}({arguments}{order}) {{ {self._connection(root)} }}"

    def _connection(self, root: Root) -> str:
        parts = {
            "nodes": lambda: f"{self._name('nodes')} {{ {self._of(root.type, root.fields, 3)} }}",
            "edges": lambda: (
                f"edges {{ cursor __typename {self._name('node')} {{ {self._of(root.type, root.fields, 3)} }} }}"
            ),
            "pageInfo": lambda: "pageInfo { hasNextPage hasPreviousPage startCursor endCursor __typename }",
            "totalCount": lambda: "totalCount totalCountCapped",
            "__typename": lambda: "__typename",
        }
        chosen = self._draw(st.lists(st.sampled_from(sorted(parts)), min_size=1, max_size=4, unique=True))
        return " ".join(parts[each]() for each in chosen)

    def _of(self, type: str, fields: Fields, depth: int) -> str:
        names = [name for name, field in fields.items() if depth or isinstance(field, Leaf)]
        chosen = self._draw(st.lists(st.sampled_from([*names, "__typename"]), min_size=1, max_size=6, unique=True))
        return " ".join(self._field(type, name, fields, depth) for name in chosen) + " __typename"

    def _field(self, type: str, name: str, fields: Fields, depth: int) -> str:
        field = fields.get(name)
        written = self._name(name) + self._draw(DIRECTIVES)
        if field is not None and not isinstance(field, Leaf):
            written += f" {{ {self._of(field.type, field.fields, depth - 1)} }}"
        wrap = self._draw(WRAPS).replace("Query", type)
        if wrap == "{}" and self._draw(st.integers(0, 9)) == 0:
            return self._fragment(type, written)
        return str(wrap.format(written))

    def _fragment(self, type: str, written: str) -> str:
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {type} {{ {written} }}")
        return f"...{name}"

    def _name(self, name: str) -> str:
        if self._aliases < 15 and self._draw(st.integers(0, 7)) == 0:
            self._aliases += 1
            return f"a{self._aliases}: {name}"
        return name


@st.composite
def documents(draw: Draw, ids: dict[str, list[str]]) -> str:
    return Maker(draw).document(ids)
