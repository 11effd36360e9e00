"""Persistent maps in states, and how pydantic writes them into snapshots: as plain objects."""

from __future__ import annotations

from typing import Any, get_args

from immutables import Map
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class AsObject:
    """Marks a field of type `Map[K, V]` that is stored like a `dict[K, V]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        plain = handler.generate_schema(dict[get_args(source)])  # type: ignore[misc]
        written = core_schema.wrap_serializer_function_ser_schema(lambda value, write: write(dict(value)), schema=plain)
        return core_schema.no_info_after_validator_function(Map, plain, serialization=written)
