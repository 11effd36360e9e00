"""The schema is its own documentation: nothing in it goes without a description."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from tests.read_api.conftest import SCHEMA

ROOTS = {"Query", "Subscription"}


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    """Every type, field, argument and enum value without a description, as `Type.field(argument)`."""
    for name, type in schema.type_map.items():
        if name.startswith("__"):
            continue
        if not type.description and name not in ROOTS:
            yield name
        if isinstance(type, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field, of in type.fields.items():
                if not of.description:
                    yield f"{name}.{field}"
                yield from (
                    f"{name}.{field}({a})" for a, each in getattr(of, "args", {}).items() if not each.description
                )
        if isinstance(type, GraphQLEnumType):
            yield from (f"{name}.{value}" for value, each in type.values.items() if not each.description)


def test_everything_has_a_description() -> None:
    assert list(undescribed(SCHEMA._schema)) == []


def test_what_has_none_is_named() -> None:
    bare = build_schema(
        'type Query { "said" a(x: Int): E, b: Int }  enum E { ONE }  input I { x: Int }  "said" interface N { id: ID }'
    )
    assert set(undescribed(bare)) == {"Query.a(x)", "Query.b", "E", "E.ONE", "I", "I.x", "N.id"}
