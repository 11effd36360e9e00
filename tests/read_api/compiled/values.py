"""Values of input types, as documents and variables have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLScalarType
from hypothesis import strategies as st
from pydantic_core import to_json

from tests.specification import AT

Draw = Callable[[st.SearchStrategy[Any]], Any]

ABSENT: Final[Any] = object()


class Name(str):
    """A value of an enum, which a document writes without quotation marks."""

    __slots__ = ()


SCALARS: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "Boolean": st.booleans(),
    "DateTime": st.sampled_from(
        [AT.isoformat(), AT.isoformat().replace("+00:00", "Z"), "2020-01-01T00:00:00+01:00", "2030-01-01T00:00:00.5Z"]
    ),
    "Long": st.sampled_from([0, 1, 900, 1000, 1200, 2**40]),
    "String": st.sampled_from(["user1@example.org", "USER1@Example.org", "x@example.org", 'a"b\\@example.org', "none"]),
}


class Values:
    """Draws values of input types: mostly such as something in the database has."""

    def __init__(self, draw: Draw, ids: Sequence[str]) -> None:
        self._draw = draw
        self._ids = st.sampled_from([*ids, "00000000-0000-7000-8000-000000000000"])

    def name(self, value: Any) -> Any:
        return value if value is ABSENT else Name(value)

    def input(self, type: Any) -> Any:
        match type:
            case GraphQLNonNull():
                return self.input(type.of_type)
            case GraphQLList():
                return [self.input(type.of_type) for _ in range(self._draw(st.integers(0, 3)))]
            case GraphQLEnumType():
                return Name(self._draw(st.sampled_from(sorted(type.values))))
            case GraphQLInputObjectType():
                return self._object(type)
            case GraphQLScalarType(name="ID"):
                return self._draw(self._ids)
            case _:
                return self._draw(SCALARS[type.name])

    def _object(self, type: GraphQLInputObjectType) -> dict[str, Any]:
        names = self._draw(st.lists(st.sampled_from(sorted(type.fields)), max_size=2, unique=True))
        if self._draw(st.integers(0, 40)) == 40:
            return dict.fromkeys(names)
        return {name: self.input(type.fields[name].type) for name in names}


def written(value: Any) -> str:
    """As a document has it."""
    match value:
        case Name():
            return value
        case dict():
            return "{" + ", ".join(f"{name}: {written(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case _:
            return to_json(value).decode()
