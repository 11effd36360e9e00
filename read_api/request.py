"""GraphQL over HTTP, the way in: which media types, which parameters, and what a page of another site may not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cross_web import HTTPException
from pydantic_core import from_json
from starlette.requests import Request
from starlette.types import Message, Receive

from read_api.errors import CrossSiteQuery

JSON: Final = "application/json"
GRAPHQL_JSON: Final = "application/graphql-response+json"
STREAM: Final = "text/event-stream"
RANGES: Final = {JSON: JSON, GRAPHQL_JSON: GRAPHQL_JSON, "*/*": JSON, "application/*": JSON}

PROOFS: Final = ["Authorization", "GraphQL-Require-Preflight", "Apollo-Require-Preflight"]
"""Headers that a browser sends for a page of another site only after it has asked whether it may (CORS)."""

FREE: Final = 10
"""What a query by GET may cost without such a header."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of a request, as the specification names them; the document itself may be elsewhere (`extensions`)."""

    query: str | None
    operation_name: str | None
    variables: Mapping[str, Any] | None
    extensions: Mapping[str, Any] | None


def media_type(accept: str | None) -> str:
    """The one the client likes best, the first of equals. Raises HTTPException 406."""
    if not accept or accept == "*/*":
        return JSON
    best, liked = None, 0.0
    for part in accept.split(","):
        range, _, parameters = part.partition(";")
        quality = quality_in(parameters)
        if quality > liked and (found := RANGES.get(range.strip().lower())):
            best, liked = found, quality
    if best is None:
        raise HTTPException(406, f"only {GRAPHQL_JSON} and {JSON} can be sent")
    return best


def quality_in(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def parameters(request: Request) -> Parameters:
    """Raises HTTPException."""
    if request.method == "GET":
        return by_get(request.query_params)
    if request.method != "POST":
        raise HTTPException(405, "only GET and POST are taken here")
    require_json(request.headers.get("content-type"))
    return checked(json_object(await request.body(), "the body"))


def require_json(content_type: str | None) -> None:
    kind, _, parameters = (content_type or "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "') or "utf-8"
    if kind.strip() != JSON or charset != "utf-8":
        raise HTTPException(415, f"the body must be {JSON} in UTF-8")


def by_get(query: Mapping[str, str]) -> Parameters:
    found: dict[str, Any] = {name: query.get(name) for name in ("query", "operationName")}
    for name in ("variables", "extensions"):
        if text := query.get(name):
            found[name] = None if text == "null" else json_object(text, name)
    return checked(found)


def json_object(text: str | bytes, what: str) -> dict[str, Any]:
    """Anything else, a batch too, is refused."""
    try:
        parsed = from_json(text, allow_inf_nan=False)
    except ValueError:
        raise HTTPException(400, f"{what} must be JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        names = " with `query`, `variables` and `operationName`" if what == "the body" else ""
        raise HTTPException(400, f"{what} must be one JSON object{names}")
    return parsed


def checked(given: Mapping[str, Any]) -> Parameters:
    for name, kind, said in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if given.get(name) is not None and not isinstance(given[name], kind):
            raise HTTPException(400, f"`{name}` must be {said}, or null")
    return Parameters(given.get("query"), given.get("operationName"), given.get("variables"), given.get("extensions"))


def require_no_forgery(request: Request, cost: int) -> None:
    """A page of another site can make a browser GET any address, but not with headers of its own choice.

    Raises CrossSiteQuery.
    """
    if request.method == "GET" and cost > FREE and not proven(request.headers):
        raise CrossSiteQuery(PROOFS, FREE)


def proven(headers: Mapping[str, str]) -> bool:
    """Browsers say by themselves whose page it was, where they know `Sec-Fetch-Site`."""
    if headers.get("sec-fetch-site") in {"same-origin", "none"}:
        return True
    return headers.get("content-type", "").startswith(JSON) or any(name in headers for name in PROOFS)


def limited(receive: Receive, maximum: int) -> Receive:
    """Raises HTTPException 413 when more than `maximum` bytes of body come."""
    left = maximum

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"at most {maximum} bytes are taken")
        return message

    return counted
