"""The AsyncAPI 3 document of what the relay publishes, made from the event classes themselves.

A message's payload is the stored state as it stands in the log: without what its headers say, personal fields sealed.
"""

from __future__ import annotations

from functools import cache
from inspect import cleandoc
from typing import Any, Final, get_args

from pydantic.json_schema import JsonSchemaMode, models_json_schema
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.aggregate import Context
from domain.event import EVENT_TYPES, Event, personal_fields
from infra.contexts import CONTEXTS
from infra.event_log.mapper import IDENTITY
from infra.settings import Profile, Settings

JSON = dict[str, Any]

MODE: Final[JsonSchemaMode] = "serialization"
SCHEMAS: Final = "#/components/schemas/"
BINDING: Final = "0.5.0"

ABOUT: Final = """\
Every event of every context, as the relay publishes it: one topic a context, keyed by the aggregate, so that an
aggregate's events stay in order. After a crash a stretch may come again, but nothing is ever missing: skip a message
whose `position` you have seen in its `slice`; one whose `previous` is above what you have seen is out of turn.
A new `incarnation` means that the log was restored or imported."""

UUID_TEXT: Final[JSON] = {"type": "string", "format": "uuid"}
NUMBER_TEXT: Final[JSON] = {"type": "string", "pattern": "^[0-9]+$"}
HEADERS: Final[dict[str, JSON]] = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": {**UUID_TEXT, "description": "the event's own id"},
    "ce_source": {"type": "string", "description": "`/chobo/` and the context"},
    "ce_type": {"type": "string", "description": "the event type"},
    "ce_subject": {**UUID_TEXT, "description": "the aggregate; the key is the same"},
    "ce_time": {"type": "string", "format": "date-time", "description": "when it was recorded"},
    "event-version": {**NUMBER_TEXT, "description": "which event of its aggregate it is, from 1"},
    "slice": {**NUMBER_TEXT, "description": "0 to 63, from the aggregate's id; partition = slice modulo partitions"},
    "position": {**NUMBER_TEXT, "description": "its place in the context's log"},
    "previous": {**NUMBER_TEXT, "description": "the position before it in its slice, 0 for none"},
    "incarnation": {**UUID_TEXT, "description": "of the log"},
    "correlation-id": {"type": "string", "description": "of the request or saga it comes from"},
    "causation-id": {**UUID_TEXT, "description": "of what caused it"},
    "actor": {"type": "string", "description": "who asked for it"},
    "traceparent": {"type": "string", "description": "W3C Trace Context"},
    "state": {"const": "log", "description": "there is no payload: it is larger than the topic takes, and in the log"},
}
"""What every message has, in CloudEvents' binary mode and our own."""
SOMETIMES: Final = {"correlation-id", "causation-id", "actor", "traceparent", "state"}

SEALED: Final[JSON] = {
    "title": "Sealed",
    "description": "personal fields, encrypted under the key of the user `of`; nobody can read them once it is gone",
    "type": "object",
    "properties": {
        "of": UUID_TEXT,
        "box": {"type": "string", "contentEncoding": "base64", "description": "nonce and AES-GCM of the fields' JSON"},
    },
    "required": ["of", "box"],
    "additionalProperties": False,
}


def document() -> JSON:
    """The whole document, as plain JSON values in a stable order. Topics are described with the default settings."""
    settings = Settings(profile=Profile.DEVELOPMENT)
    events = {context.name: list(events_of(context)) for context in CONTEXTS}
    every = [cls for classes in events.values() for cls in classes]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Chobo events", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {name: channel(name, classes, settings) for name, classes in events.items()},
        "operations": {f"publish-{name}": published(name) for name in events},
        "components": {
            "messages": {cls.TOPIC: message(cls) for cls in every},
            "messageTraits": {"event": trait()},
            "schemas": schemas(every),
        },
    }


def route() -> Route:
    """`/asyncapi.json`, made when it is first asked for."""

    @cache
    def text() -> bytes:
        return to_json(document())

    async def asyncapi(_: Request) -> Response:
        return Response(text(), media_type="application/json")

    return Route("/asyncapi.json", asyncapi)


def events_of(context: Context) -> list[type[Event]]:
    """By event type; those of the release, not what tests declare."""
    ours = (EVENT_TYPES[topic] for topic in sorted(EVENT_TYPES) if topic.startswith(f"{context.name}."))
    return [cls for cls in ours if cls.__module__.startswith("domain.")]


def channel(context: str, classes: list[type[Event]], settings: Settings) -> JSON:
    topic = f"{settings.topic_prefix}.{context}"
    bound = {"topic": topic, "partitions": settings.topic_partitions, "bindingVersion": BINDING}
    return {
        "address": topic,
        "description": f"What happened in {context}, in the order of the log within each aggregate.",
        "messages": {cls.TOPIC: {"$ref": f"#/components/messages/{cls.TOPIC}"} for cls in classes},
        "bindings": {"kafka": bound},
    }


def published(context: str) -> JSON:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{context}"},
        "summary": f"The relay publishes the log of {context}.",
    }


def message(cls: type[Event]) -> JSON:
    return {
        "name": cls.TOPIC,
        "title": cls.__name__,
        "summary": cleandoc(cls.__doc__ or ""),
        "payload": {"$ref": f"{SCHEMAS}{cls.TOPIC}"},
        "traits": [{"$ref": "#/components/messageTraits/event"}],
    }


def trait() -> JSON:
    required = [name for name in HEADERS if name not in SOMETIMES]
    return {
        "headers": {"type": "object", "properties": HEADERS, "required": required},
        "bindings": {"kafka": {"key": UUID_TEXT, "bindingVersion": BINDING}},
    }


def schemas(classes: list[type[Event]]) -> JSON:
    """Payloads by event type, and what they are made of by name."""
    refs, made = models_json_schema([(cls, MODE) for cls in classes], by_alias=False, ref_template=SCHEMAS + "{model}")
    parts: JSON = made["$defs"]
    payloads = {cls.TOPIC: payload(cls, parts.pop(refs[cls, MODE]["$ref"].removeprefix(SCHEMAS))) for cls in classes}
    return payloads | {"Sealed": SEALED} | used(parts, payloads)


def payload(cls: type[Event], schema: JSON) -> JSON:
    """The stored state of the present schema version. One with an older `class_version` has the shape it had then."""
    personal = personal_fields(cls)
    clear = personal and maybe_nobodys(cls)
    away = IDENTITY if clear else IDENTITY | personal
    properties = {name: field for name, field in schema["properties"].items() if name not in away}
    required = [name for name in schema["required"] if name in properties and name not in personal]
    if cls.class_version > 1:
        properties["class_version"] = {"const": cls.class_version}
        required.append("class_version")
    if personal:
        names = ", ".join(sorted(personal))
        said = f"holds {names}" + ("; where they are nobody's, they stand in the open instead" if clear else "")
        properties["sealed"] = {"allOf": [{"$ref": f"{SCHEMAS}Sealed"}], "description": said}
        required += [] if clear else ["sealed"]
    return schema | {"properties": properties, "required": required}


def maybe_nobodys(cls: type[Event]) -> bool:
    return type(None) in get_args(cls.model_fields[cls.OWNER].annotation)


def used(parts: JSON, payloads: JSON) -> JSON:
    """Those parts that a payload leads to, in order of name."""
    found: set[str] = set()
    new = referred(payloads)
    while new:
        found |= new
        new = {name for part in new for name in referred(parts[part])} - found
    return {name: parts[name] for name in sorted(found)}


def referred(schema: Any) -> set[str]:
    """The names of the parts that a schema refers to."""
    if isinstance(schema, dict):
        own = {schema["$ref"].removeprefix(SCHEMAS)} if "$ref" in schema else set()
        return (own | {name for value in schema.values() for name in referred(value)}) - {"Sealed"}
    return {name for value in schema for name in referred(value)} if isinstance(schema, list) else set()
