"""The parameters and headers of the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from commands.route import IGNORED, REQUIRED, Route

JSON = dict[str, Any]


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
        "the ETag you decided on; `*` for whichever it is",
        required=route.edits,
        pattern='^"[1-9][0-9]{0,17}"$',
    )
    prefer = header("Prefer", "`wait=5`: answer when what goes on by itself has come to an end, or after 5 seconds")
    return (
        ([] if route.key is IGNORED else [key])
        + ([match] if "{id}" in route.path else [])
        + ([prefer] if route.waits else [])
    )


HEADERS: Final = {
    "ETag": {"description": "the version in quotes", "schema": {"type": "string"}},
    "Location": {"description": "address of what was made", "schema": {"type": "string"}},
    "Consistency-Token": {"description": "the same as consistencyToken", "schema": {"type": "string"}},
    "X-Correlation-ID": {"description": "yours, or the one made for you", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "there when the key was used before: this is the first answer again",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "RateLimit-Policy": {
        "description": 'the class of the route, `q` requests in `w` seconds, as in `"reads";q=600;w=60`',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "the class, `r` requests left at present, `t` seconds until all are there again",
        "schema": {"type": "string"},
    },
    "Preference-Applied": {
        "description": "`wait=5`: version and status are the newest at the end of that time, or when nothing goes on",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "seconds", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "what was wrong with the token", "schema": {"type": "string"}},
}


ALWAYS: Final = ("X-Correlation-ID", "RateLimit-Policy", "RateLimit")
"""What any answer may have."""


def refs(*names: str) -> JSON:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
