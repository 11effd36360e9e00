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
HTML: Final = "text/html"
OFFERED: Final = (JSON, GRAPHQL_JSON)

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
    """The one of OFFERED that the client likes best, of equals the one it names first. Raises HTTPException 406."""
    if not accept or accept == "*/*":
        return JSON
    liking = {offered: liked(accept, offered) for offered in OFFERED}
    best = max(OFFERED, key=lambda offered: (liking[offered].quality, -liking[offered].place))
    if not liking[best].quality:
        raise HTTPException(406, f"only {GRAPHQL_JSON} and {JSON} can be sent")
    return best


def wants_stream(accept: str) -> bool:
    """Rather than one answer. A wildcard means no stream."""
    stream = liked(accept, STREAM)
    if not stream.by_name or not stream.quality:
        return False
    others = [liking for offered in OFFERED if (liking := liked(accept, offered)).by_name]
    return all((stream.quality, -stream.place) > (other.quality, -other.place) for other in others)


def wants_page(accept: str) -> bool:
    page = liked(accept, HTML)
    return page.by_name and page.quality > 0


@dataclass(frozen=True, slots=True)
class Liked:
    """How much a client likes a media type, and at which place it says so. `by_name`: not by a wildcard."""

    quality: float = 0.0
    place: int = 0
    by_name: bool = False


def liked(accept: str, media_type: str) -> Liked:
    """By the closest range of an Accept header (RFC 9110, 12.5.1)."""
    ranges = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    closest, found = -1, Liked()
    for place, part in enumerate(accept.split(",")):
        range, _, parameters = part.partition(";")
        name = range.strip().lower()
        if name in ranges and (closeness := ranges.index(name)) > closest:
            closest, found = closeness, Liked(quality_in(parameters), place, name == media_type)
    return found


def quality_in(parameters: str) -> float:
    """0 to 1. What is no number is 0."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0 <= quality <= 1 else 0.0
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
    for part, kind, said in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if given.get(part) is not None and not isinstance(given[part], kind):
            raise HTTPException(400, f"`{part}` must be {said}, or null")
    name = given.get("operationName") or None  # an empty one is none
    return Parameters(given.get("query"), name, given.get("variables"), given.get("extensions"))


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
