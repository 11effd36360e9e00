"""The OpenAPI 3.1 document of the command API, made from the routes and the very models that read the requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from commands.access import open_to_anybody
from commands.codes import all_sorts
from commands.openapi_headers import ALWAYS, HEADERS, TRACING, header, headers_of, id_of, refs
from commands.openapi_schemas import problem, ref, schemas
from commands.raw import RawPost
from commands.route import CREATED, Resource, Route

JSON = dict[str, Any]

TITLE: Final = "Chobo command API"
ABOUT: Final = """\
Every command is a POST; reading is GraphQL. What is refused is answered with a problem (RFC 9457) with a stable `code`.
Money is in whole minor units. A `consistencyToken`, sent to the read API as `Consistency-Token`, lets you read your
own writes."""


def document(
    routes: Sequence[Route], resources: Sequence[Resource], version: str = "1", *, raw: Sequence[RawPost] = ()
) -> JSON:
    """The whole document, as plain JSON values in a stable order."""
    paths: JSON = {}
    for route in routes:
        paths.setdefault(route.path, {})["post"] = operation(route)
    for resource in resources:
        paths.setdefault(resource.path, {})["get"] = look(resource)
    for post in raw:
        paths.setdefault(post.path, {})["post"] = taken(post)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in collections(routes, resources, raw)],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": schemas(routes),
            "headers": HEADERS,
            "responses": {str(status): problem(status) for status in sorted({sort.status for sort in all_sorts()})},
        },
    }


def collections(routes: Sequence[Route], resources: Sequence[Resource], raw: Sequence[RawPost]) -> list[str]:
    return sorted({r.collection for r in routes} | {r.collection for r in resources} | {r.collection for r in raw})


def operation(route: Route) -> JSON:
    return {
        "operationId": operation_id(route),
        "tags": [route.collection],
        "summary": summary(route.message),
        "security": security(route.scope),
        "parameters": [*id_of(route.path), *headers_of(route), *TRACING],
        "requestBody": {
            "required": needs_body(route.message),
            "content": {"application/json": {"schema": ref(route.message)}},
        },
        "responses": {str(success_status(route)): success(route), **problems(*statuses(route))},
    }


def look(resource: Resource) -> JSON:
    none_match = header("If-None-Match", "the ETag you have: 304 when it is still the same")
    return {
        "operationId": f"look{title(resource.collection)}",
        "tags": [resource.collection],
        "summary": "Where it stands: id, version and status",
        "security": security(resource.scope),
        "parameters": [*id_of(resource.path), none_match, *TRACING],
        "responses": {
            "200": {
                "description": "as the write side sees it",
                "headers": refs("ETag", *ALWAYS),
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}},
            },
            "304": {"description": "not changed", "headers": refs("ETag", *ALWAYS)},
            **problems(401, 403, 404, 406, 429, 503),
        },
    }


def taken(post: RawPost) -> JSON:
    named = {"in": "path", "required": True, "schema": {"type": "string"}, "description": post.parameter}
    return {
        "operationId": post.name,
        "tags": [post.collection],
        "summary": post.summary,
        "security": [],
        "parameters": [{"name": post.parameter_name, **named}, *TRACING],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {
            "200": {
                "description": "kept, or kept before",
                "headers": refs("X-Correlation-ID"),
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **problems(*post.statuses),
        },
    }


def operation_id(route: Route) -> str:
    name = route.message.__name__
    return name[0].lower() + name[1:]


def title(collection: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[^a-z]", collection))


def summary(message: type[BaseModel]) -> str:
    """The first line of what the message says of itself, with fields as clients write them; else its name in words."""
    text = (message.__dict__.get("__doc__") or "").strip().split("\n")[0]
    if not text:
        return re.sub(r"(?<!^)(?=[A-Z])", " ", message.__name__).capitalize()
    return re.sub(r"`(\w+)`", lambda field: to_camel(field[1]), text)


def security(scope: str) -> list[JSON]:
    bearer = {"bearer": [scope]}
    return [bearer, {}] if open_to_anybody(scope) else [bearer]


def needs_body(message: type[BaseModel]) -> bool:
    return any(field.is_required() for field in message.model_fields.values())


def success_status(route: Route) -> int:
    return 200 if route.serve else route.answer.value


def success(route: Route) -> JSON:
    if route.serve:
        content = {"application/json": {"schema": ref(route.answers)}}
        return {"description": "the answer", "headers": refs(*ALWAYS), "content": content}
    if route.discreet:
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Discreet"}}}
        return {"description": "taken; more may follow", "headers": refs(*ALWAYS), "content": content}
    headers = ["ETag", "Consistency-Token", "Idempotent-Replayed", *ALWAYS]
    headers += ["Location"] if route.answer is CREATED else []
    headers += ["Preference-Applied"] if route.waits else []
    schema: JSON = {"$ref": "#/components/schemas/Answer"}
    return {
        "description": {200: "done", 201: "made", 202: "taken; more follows by itself"}[route.answer.value],
        "headers": refs(*headers),
        "content": {"application/json": {"schema": {"allOf": [schema, ref(route.extra)]} if route.extra else schema}},
    }


def statuses(route: Route) -> Iterable[int]:
    edits = (412, 428) if route.edits else (412,)
    return (400, 401, 403, 404, 406, 409, 413, 415, 422, 429, 503, *edits)


def problems(*statuses: int) -> JSON:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}
