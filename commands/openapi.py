"""The OpenAPI 3.1 document of the command API, made from the routes and the very models that read the requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from commands.access import open_to_anybody
from commands.codes import (
    BODY_TOO_LARGE,
    HTTP_ONLY,
    IDEMPOTENCY_KEY_REQUIRED,
    INVALID_HEADER,
    PRECONDITION_REQUIRED,
    VALIDATION_FAILED,
    Sort,
    kebab,
    sort_of,
)
from commands.route import CREATED, IGNORED, REQUIRED, Resource, Route
from domain.errors import REFUSALS

JSON = dict[str, Any]

TITLE: Final = "Chobo command API"
ABOUT: Final = """\
Every command is a POST; reading is GraphQL. What is refused is answered with a problem (RFC 9457) with a stable `code`.
Money is in whole minor units. A `consistencyToken`, sent to the read API as `Consistency-Token`, lets you read your
own writes."""
PROBLEM_REF: Final = {"$ref": "#/components/schemas/Problem"}


class Links(BaseModel):
    self: str


class Looked(BaseModel):
    """Where an aggregate stands, as the write side sees it."""

    id: UUID
    version: Annotated[int, Field(ge=1, description="the number of its events; also its ETag")]
    status: str


class Answered(Looked):
    """What came of a command."""

    consistency_token: Annotated[str, Field(alias="consistencyToken")]
    links: Links


class FaultModel(BaseModel):
    pointer: Annotated[str, Field(description="JSON pointer (RFC 6901) into the body")]
    code: str
    detail: str


class ProblemModel(BaseModel):
    """A problem (RFC 9457)."""

    type: Annotated[
        str, Field(description="address of a page about the code", examples=["/problems/insufficient-stock"])
    ]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    code: Annotated[str, Field(description="stable", pattern="^[A-Z][A-Z0-9_]*$")]
    detail: str
    facts: Annotated[JSON, Field(description="values that a client can act on")]
    errors: list[FaultModel]
    retryable: Annotated[bool, Field(description="whether the same request may succeed later")]
    trace_id: Annotated[str, Field(alias="traceId")]


NAMES: Final = {"FaultModel": "Fault", "ProblemModel": "Problem", "Looked": "State", "Answered": "Answer"}


def document(routes: Sequence[Route], resources: Sequence[Resource], version: str = "1") -> JSON:
    """The whole document, as plain JSON values in a stable order."""
    paths: JSON = {}
    for route in routes:
        paths.setdefault(route.path, {})["post"] = operation(route)
    for resource in resources:
        paths.setdefault(resource.path, {})["get"] = look(resource)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in sorted({r.collection for r in routes} | {r.collection for r in resources})],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": schemas(routes),
            "headers": HEADERS,
            "responses": {str(status): problem(status) for status in sorted({sort.status for sort in all_sorts()})},
        },
    }


# -- operations


def operation(route: Route) -> JSON:
    return {
        "operationId": operation_id(route),
        "tags": [route.collection],
        "summary": summary(route.message, route.message.__name__),
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
        "summary": f"Where it stands: id, version and status of a {resource.noun}",
        "security": security(resource.scope),
        "parameters": [*id_of(resource.path), none_match, *TRACING],
        "responses": {
            "200": {
                "description": "as the write side sees it",
                "headers": refs("ETag", "X-Correlation-ID"),
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}},
            },
            "304": {"description": "not changed", "headers": refs("ETag", "X-Correlation-ID")},
            **problems(401, 403, 404, 406, 503),
        },
    }


def operation_id(route: Route) -> str:
    name = route.message.__name__
    return name[0].lower() + name[1:]


def title(collection: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[^a-z]", collection))


def summary(model: type[BaseModel], default: str) -> str:
    text = model.__dict__.get("__doc__") or ""
    return text.strip().split("\n")[0] or default


def security(scope: str) -> list[JSON]:
    bearer = {"bearer": [scope]}
    return [bearer, {}] if open_to_anybody(scope) else [bearer]


def needs_body(message: type[BaseModel]) -> bool:
    return any(field.is_required() for field in message.model_fields.values())


def success_status(route: Route) -> int:
    return 200 if route.serve else route.answer.value


def success(route: Route) -> JSON:
    if route.serve:
        return {"description": "the answer", "content": {"application/json": {"schema": ref(route.answers)}}}
    headers = ["ETag", "Consistency-Token", "X-Correlation-ID", "Idempotent-Replayed"]
    headers += ["Location"] if route.answer is CREATED else []
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


# -- parameters and headers


def header(name: str, description: str, *, required: bool = False, **schema: Any) -> JSON:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string", **schema},
    }


TRACING: Final = [header("X-Correlation-ID", "carried to everything that comes of the request; made when missing")]


def id_of(path: str) -> list[JSON]:
    schema = {"type": "string", "format": "uuid"}
    return [{"name": "id", "in": "path", "required": True, "schema": schema}] if "{id}" in path else []


def headers_of(route: Route) -> list[JSON]:
    key = header(
        "Idempotency-Key",
        "a fresh random value; the same again repeats nothing and gets the first answer, for 7 days",
        required=route.key is REQUIRED,
        minLength=1,
        maxLength=255,
        pattern="^[!-~]([ -~]*[!-~])?$",
    )
    match = header(
        "If-Match",
        "the ETag you decided on",
        required=route.edits,
        pattern=r'^(\*|"[1-9][0-9]{0,17}")$',
    )
    return ([] if route.key is IGNORED else [key]) + ([] if route.serve else [match])


HEADERS: Final = {
    "ETag": {"description": "the version in quotes", "schema": {"type": "string"}},
    "Location": {"description": "address of what was made", "schema": {"type": "string"}},
    "Consistency-Token": {"description": "the same as consistencyToken", "schema": {"type": "string"}},
    "X-Correlation-ID": {"description": "yours, or the one made for you", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "there when the key was used before: this is the first answer again",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {"description": "seconds", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "what was wrong with the token", "schema": {"type": "string"}},
}
STATUS_HEADERS: Final = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}


def refs(*names: str) -> JSON:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


# -- problems


def all_sorts() -> list[Sort]:
    """Every code a problem can have, sorted: what only HTTP has and every refusal."""
    return sorted([*HTTP_ONLY.values(), *map(sort_of, REFUSALS.values())], key=lambda sort: sort.code)


def problem(status: int) -> JSON:
    sorts = [sort for sort in all_sorts() if sort.status == status]
    return {
        "description": ", ".join(sort.code for sort in sorts),
        "headers": refs("X-Correlation-ID", *STATUS_HEADERS.get(status, [])),
        "content": {
            "application/problem+json": {"schema": PROBLEM_REF, "example": example(representative(sorts))},
        },
    }


def representative(sorts: Sequence[Sort]) -> Sort:
    """The most ordinary problem of a status."""
    usual = (INVALID_HEADER, VALIDATION_FAILED, BODY_TOO_LARGE, PRECONDITION_REQUIRED, IDEMPOTENCY_KEY_REQUIRED)
    return next((sort for sort in usual if sort in sorts), sorts[0])


def example(sort: Sort) -> JSON:
    return {
        "type": f"/problems/{kebab(sort.code)}",
        "title": sort.title,
        "status": sort.status,
        "code": sort.code,
        "detail": sort.advice or sort.title,
        "facts": {},
        "errors": [],
        "retryable": sort.retryable,
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    }


# -- schemas


def models(routes: Iterable[Route]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    given: list[type[BaseModel]] = [Looked, Answered, ProblemModel]
    answers = [model for route in routes for model in (route.extra, route.answers) if model]
    messages = [route.message for route in routes]
    return [(m, "validation") for m in unique(messages)] + [(m, "serialization") for m in unique([*given, *answers])]


def unique(models: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    return list(dict.fromkeys(models))


def schemas(routes: Sequence[Route]) -> JSON:
    _, made = models_json_schema(models(routes), by_alias=True, ref_template="#/components/schemas/{model}")
    return {NAMES.get(name, name): renamed(schema) for name, schema in sorted(made["$defs"].items())}


def renamed(schema: Any) -> Any:
    """Python's names of these models, replaced wherever they are referred to."""
    if isinstance(schema, list):
        return [renamed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: new_ref(value) if key == "$ref" else renamed(value) for key, value in schema.items()}


def new_ref(address: str) -> str:
    start, _, name = address.rpartition("/")
    return f"{start}/{NAMES.get(name, name)}"


def ref(model: type[BaseModel] | None) -> JSON:
    assert model is not None, "a route with `serve` says what it `answers`"
    return {"$ref": f"#/components/schemas/{NAMES.get(model.__name__, model.__name__)}"}
