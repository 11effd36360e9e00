"""The schemas and problems of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from commands.codes import (
    BODY_TOO_LARGE,
    IDEMPOTENCY_KEY_REQUIRED,
    INVALID_HEADER,
    PRECONDITION_REQUIRED,
    VALIDATION_FAILED,
    Sort,
    all_sorts,
    kebab,
)
from commands.openapi_headers import ALWAYS, refs
from commands.route import Route

JSON = dict[str, Any]

PROBLEM_REF: Final = {"$ref": "#/components/schemas/Problem"}
STATUS_HEADERS: Final = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}


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


class Discreet(BaseModel):
    """All that is told where nothing must be found out: the same whatever came of it."""

    status: str


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


def problem(status: int) -> JSON:
    sorts = [sort for sort in all_sorts() if sort.status == status]
    return {
        "description": ", ".join(sort.code for sort in sorts),
        "headers": refs(*ALWAYS, *STATUS_HEADERS.get(status, [])),
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


def models(routes: Iterable[Route]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    given: list[type[BaseModel]] = [Looked, Answered, Discreet, ProblemModel]
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
