"""The page and its files."""

from __future__ import annotations

from importlib.resources import files
from mimetypes import guess_type
from typing import Final

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE: Final = {"content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
DAY: Final = {"cache-control": "public, max-age=86400"}
SERVED: Final = frozenset({"css", "js", "png"})
HERE: Final = files("read_api.graphiql")
EXAMPLES: Final = HERE / "examples"


def routes() -> list[BaseRoute]:
    return [Route("/graphql/ui/examples.json", examples), Route("/graphql/ui/{name}", file)]


def page() -> Response:
    return HTMLResponse((HERE / "index.html").read_bytes(), headers=SAFE)


async def file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in {each.name for each in HERE.iterdir() if each.name.rsplit(".", 1)[-1] in SERVED}:
        raise HTTPException(404)
    return Response((HERE / name).read_bytes(), media_type=guess_type(name)[0], headers=SAFE | DAY)


async def examples(request: Request) -> Response:
    return Response(to_json(example_queries()), media_type="application/json", headers=SAFE)


def example_queries() -> list[str]:
    """One for each tab, in the order of their files' names."""
    return [each.read_text() for each in sorted(EXAMPLES.iterdir(), key=lambda each: each.name)]
