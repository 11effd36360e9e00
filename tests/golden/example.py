"""A plausible value for a JSON schema, the same every time: what `make` proposes as a sample."""

from __future__ import annotations

from typing import Any

from domain.event import JSON, Event
from domain.ids import derive
from domain.money import DECIMALS

BY_PATTERN = {
    "^[A-Z]{2}$": "JP",
    "^[A-Za-z0-9][A-Za-z0-9._/-]*$": "TEA-01",
}
BY_FORMAT = {"date-time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "uri": "https://chobo.example/a.png"}
BY_NAME = {
    "url": "https://chobo.example/a.png",
    "email": "ada@example.com",
    "locale": "en",
    "time_zone": "Europe/London",
    "phone": "+442071234567",
}
TEXT = "Some text"


def example(cls: type[Event]) -> JSON:
    """Values for all fields of the event, identity included."""
    schema = cls.model_json_schema(by_alias=False)
    value: JSON = value_of(schema, schema.get("$defs", {}), "")
    return value


def value_of(schema: JSON, defs: JSON, name: str) -> Any:
    if reference := schema.get("$ref"):
        return value_of(defs[reference.rsplit("/", 1)[1]], defs, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return "EUR" if schema["enum"] == sorted(DECIMALS) else schema["enum"][0]
    if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return value_of(choices[0], defs, name)  # the first: the value rather than nothing or Erased
    return simple(schema, defs, name)


def simple(schema: JSON, defs: JSON, name: str) -> Any:
    match schema.get("type"):
        case "object":
            return object_of(schema, defs)
        case "array":
            return array_of(schema, defs, name)
        case "string":
            return text_of(schema, name)
        case "integer" | "number":
            return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return TEXT  # anything goes


def object_of(schema: JSON, defs: JSON) -> JSON:
    if properties := schema.get("properties"):
        return {name: value_of(each, defs, name) for name, each in properties.items()}
    if each := schema.get("additionalProperties"):
        return {"key": value_of(each, defs, "") if isinstance(each, dict) else TEXT}
    return {}


def array_of(schema: JSON, defs: JSON, name: str) -> list[Any]:
    if fixed := schema.get("prefixItems"):
        return [value_of(each, defs, name) for each in fixed]
    return [value_of(schema.get("items", {}), defs, name)] * max(1, schema.get("minItems", 1))


def text_of(schema: JSON, name: str) -> str:
    if schema.get("format") == "uuid":
        return str(derive("golden", name))
    known = BY_FORMAT.get(schema.get("format", "")) or BY_NAME.get(name) or BY_PATTERN.get(schema.get("pattern", ""))
    return known or TEXT[: schema.get("maxLength", 200)].ljust(schema.get("minLength", 0), "x")
