"""Documents made of what the tables of the compiled path have, in all the ways in which one may write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from read_api.compiled.roots import ROOTS, Root
from read_api.compiled.shapes import Fields, Leaf, Part, Related
from tests.read_api.compiled.values import ABSENT, Values, written
from tests.read_api.conftest import SCHEMA

Below = Callable[[], str]
Draw = Callable[[st.SearchStrategy[Any]], Any]

MOST_ALIASES: Final = 15
MOST_DIRECTIVES: Final = 20  # and a few more where nothing is to be left
PAGE_INFO: Final = ("hasNextPage", "hasPreviousPage", "startCursor", "endCursor", "__typename")
CONNECTION: Final = ("nodes", "edges", "pageInfo", "totalCount", "totalCountCapped", "__typename")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A document and its variables. Where a cursor stands is `@list ordering number@`."""

    text: str
    variables: Mapping[str, Any]


class Maker:
    """Draws one document. What is limited in one is drawn sparingly: aliases and directives."""

    def __init__(self, draw: Draw, ids: Mapping[str, Sequence[str]]) -> None:
        self._draw = draw
        self._ids = ids
        self._values = Values(draw, [id for those in ids.values() for id in those])
        self._aliases = 0
        self._directives = 0
        self._fragments: list[str] = []
        self._declared: dict[str, str] = {}
        self._variables: dict[str, Any] = {}

    def document(self) -> Drawn:
        names = self._draw(st.lists(st.sampled_from(sorted(ROOTS)), min_size=1, max_size=2, unique=True))
        roots = self._set("Query", [self._root(name, ROOTS[name]) for name in names], typename=1)
        declared = f"({', '.join(self._declared.values())})" if self._declared else ""
        return Drawn(f"query Q{declared} {{ {roots} }} {' '.join(self._fragments)}", self._variables)

    def _root(self, name: str, root: Root) -> tuple[str, Below]:
        """A field of the query, always with the same arguments, so that it may stand there twice."""
        if root.oneself:
            return name, lambda: self._of(root.type, root.fields, 4)
        if root.by_id:
            known = st.sampled_from([*self._ids[name], "00000000-0000-7000-8000-000000000000", "none"])
            id = self._argument("id", "ID!", self._draw(known))
            return f"{name}({id})", lambda: self._of(root.type, root.fields, 4)
        return f"{name}({self._page(name, root)})", lambda: self._connection(root)

    # -- arguments

    def _page(self, name: str, root: Root) -> str:
        field = SCHEMA._schema.query_type.fields[name]  # type: ignore[union-attr]
        orderings = sorted(field.args["orderBy"].type.of_type.values)
        order = self._draw(st.sampled_from([ABSENT, *orderings]))
        place = f"@{root.listing.table.name} {'CREATED_AT_DESC' if order is ABSENT else order} "
        given = {self._draw(st.sampled_from(["first", "last"])): self._draw(st.sampled_from([1, 2, 2, 3, 5, 100]))}
        given |= {way: f"{place}{number}@" for way in ("after", "before") if (number := self._at()) is not None}
        types = {name: str(argument.type) for name, argument in field.args.items()}
        arguments = [self._argument(name, types[name], value) for name, value in given.items()]
        arguments.append(self._argument("orderBy", types["orderBy"], self._values.name(order)))
        if self._one_in(2):
            arguments.append(self._argument("where", types["where"], self._values.input(field.args["where"].type)))
        if missing := {"first", "last"} - set(given):
            arguments.append(self._argument(missing.pop(), "Int", ABSENT))
        return ", ".join(self._draw(st.permutations([each for each in arguments if each])))

    def _at(self) -> int | None:
        """Which row's cursor: half of the pages begin at an end of their list."""
        return self._draw(st.integers(0, 20)) if self._one_in(3) else None

    def _argument(self, name: str, type: str, value: Any) -> str:
        """Written out, or by a variable: with a value, by its default, or, where there is none, not given or null."""
        way = self._draw(st.sampled_from(["written", "written", "given", "default", "given over a default"]))
        if value is ABSENT:
            if way in {"written", "default"}:
                return ""
            variable = self._variable(type.rstrip("!"))
            if self._one_in(3):
                self._variables[variable] = None
            return f"{name}: ${variable}"
        if way == "written":
            return f"{name}: {written(value)}"
        variable = self._variable(type, "" if way == "given" else written(value))
        if way != "default":
            self._variables[variable] = value
        return f"{name}: ${variable}"

    def _variable(self, type: str, default: str = "") -> str:
        name = f"v{len(self._declared)}"
        self._declared[name] = f"${name}: {type}{f' = {default}' if default else ''}"
        return name

    # -- selections

    def _connection(self, root: Root) -> str:
        below: dict[str, Below] = {
            "nodes": lambda: self._of(root.type, root.fields, 3),
            "edges": lambda: self._edge(root),
            "pageInfo": lambda: self._chosen("PageInfo", dict.fromkeys(PAGE_INFO), 5),
        }
        return self._chosen(f"{root.type}Connection", {name: below.get(name) for name in CONNECTION}, 4)

    def _edge(self, root: Root) -> str:
        fields = {"cursor": None, "node": lambda: self._of(root.type, root.fields, 3), "__typename": None}
        return self._chosen(f"{root.type}Edge", fields, 3)

    def _of(self, type: str, fields: Fields, depth: int) -> str:
        def below(field: Part | Related) -> Below:
            return lambda: self._of(field.type, field.fields, depth - 1)

        names = {
            name: None if isinstance(field, Leaf) else below(field)
            for name, field in fields.items()
            if depth or isinstance(field, Leaf)
        }
        return self._chosen(type, names | {"__typename": None}, 6)

    def _chosen(self, type: str, fields: Mapping[str, Below | None], most: int) -> str:
        names = self._draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=most, unique=True))
        return self._set(type, [(name, fields[name]) for name in names])

    def _set(self, type: str, fields: Sequence[tuple[str, Below | None]], typename: int = 0) -> str:
        """`fields` with what is selected of them, where they have fields themselves.

        Some of the fields twice, to be merged, and each in some wrapping; sometimes nothing of it is left.
        """
        entries = list(fields)
        if typename and self._one_in(4):
            entries.append(("__typename", None))
        if self._one_in(5):
            entries.append(self._draw(st.sampled_from(entries)))
        empty = self._one_in(8)
        return " ".join(self._field(type, name, below, empty=empty) for name, below in entries)

    def _field(self, type: str, name: str, below: Below | None, *, empty: bool) -> str:
        text = f"{self._alias()}{name}{self._left_out() if empty else self._directive()}"
        if below:
            text += f" {{ {below()} }}"
        match self._draw(st.integers(0, 11)):
            case 0:
                return self._fragment(type, text)
            case 1:
                return f"...{self._directive()} {{ {text} }}"
            case 2:
                return f"... on {type}{self._directive()} {{ {text} }}"
            case _:
                return text

    def _fragment(self, type: str, text: str) -> str:
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {type} {{ {text} }}")
        return " ".join([f"...{name}{self._directive()}"] * (2 if self._one_in(3) else 1))

    def _alias(self) -> str:
        if self._aliases < MOST_ALIASES and self._one_in(9):
            self._aliases += 1
            return f"a{self._aliases}: "
        return ""

    def _directive(self) -> str:
        """On any field and fragment, and more that let it be than that leave it out."""
        if self._directives >= MOST_DIRECTIVES or not self._one_in(4):
            return ""
        return self._left_out() if self._one_in(3) else self._with(there=True)

    def _left_out(self) -> str:
        return self._with(there=False)

    def _with(self, *, there: bool) -> str:
        self._directives += 1
        name = self._draw(st.sampled_from(["include", "skip"]))
        return f" @{name}({self._argument('if', 'Boolean!', there is (name == 'include'))})"

    def _one_in(self, number: int) -> bool:
        return bool(self._draw(st.integers(1, number)) == number)


@st.composite
def documents(draw: Draw, ids: Mapping[str, Sequence[str]]) -> Drawn:
    return Maker(draw, ids).document()
