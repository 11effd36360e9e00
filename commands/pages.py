"""What people look at: a page for each problem, the OpenAPI document and its page, the public keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from mimetypes import guess_type
from typing import Any, Final

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute
from starlette.routing import Route as PageRoute

from commands.codes import Sort, all_sorts, kebab
from commands.openapi import document
from commands.raw import RawPost
from commands.route import Resource, Route

Jwks = Callable[[], Mapping[str, Any]]

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE: Final = {"content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
DAY: Final = {"cache-control": "public, max-age=86400"}
HOUR: Final = {"cache-control": "public, max-age=3600"}
SERVED: Final = frozenset({"css", "js", "png", "jpg", "svg"})


def pages(
    routes: Sequence[Route], resources: Sequence[Resource], jwks: Jwks, raw: Sequence[RawPost] = ()
) -> list[BaseRoute]:
    openapi = to_json(document(routes, resources, raw=raw))
    return [
        PageRoute("/openapi.json", lambda _: json(openapi)),
        PageRoute("/.well-known/jwks.json", lambda _: json(to_json(jwks()), HOUR)),
        PageRoute("/problems", problem_list),
        PageRoute("/problems/{code}", problem_page),
        PageRoute("/docs", docs),
        PageRoute("/docs/{name}", docs_file),
    ]


def json(body: bytes, headers: Mapping[str, str] = SAFE) -> Response:
    return Response(body, media_type="application/json", headers=dict(headers))


def html(title: str, body: str) -> HTMLResponse:
    page = (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<link rel="icon" href="/docs/icon.svg">\n<link rel="stylesheet" href="/docs/page.css">\n'
        f"{body}\n</html>\n"
    )
    return HTMLResponse(page, headers=SAFE)


# -- problems


def by_kebab() -> dict[str, Sort]:
    return {kebab(sort.code): sort for sort in all_sorts()}


async def problem_list(request: Request) -> Response:
    rows = "\n".join(
        f'<tr><td><a href="/problems/{name}">{sort.code}</a><td>{sort.status}<td>{escape(sort.title)}'
        for name, sort in by_kebab().items()
    )
    return html("Problems", f"<h1>Problems</h1>\n<table>\n<tr><th>code<th>status<th>what it means\n{rows}\n</table>")


async def problem_page(request: Request) -> Response:
    sort = by_kebab().get(request.path_params["code"])
    if sort is None:
        raise HTTPException(404)
    again = "The same request may succeed later." if sort.retryable else "Sending the same request again will not help."
    return html(
        sort.title,
        f"<h1>{escape(sort.title)}</h1>\n<p><code>{sort.code}</code>, HTTP status {sort.status}</p>\n"
        f'<p>{marked(sort.advice)}</p>\n<p>{again}</p>\n<p><a href="/problems">all problems</a></p>',
    )


def marked(text: str) -> str:
    """`code` as it is meant."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(text))


def errors_markdown() -> str:
    """`docs/errors.md`."""
    lines = [
        "# Errors",
        "",
        "Made from the code (`make contracts`): every code that a problem of the command API can have. The read API",
        "has the same in `extensions.code`. A code never changes its meaning. Each has a page: `/problems/<in-kebab>`.",
        "",
        "| code | status | what it means | what to do | retry |",
        "|---|---|---|---|---|",
        *map(row, all_sorts()),
    ]
    return "\n".join(lines) + "\n"


def row(sort: Sort) -> str:
    cells = (f"`{sort.code}`", str(sort.status), sort.title, sort.advice, "yes" if sort.retryable else "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


# -- the page of the OpenAPI document


async def docs(request: Request) -> Response:
    return HTMLResponse(vendored("index.html"), headers=SAFE)


async def docs_file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in served():
        raise HTTPException(404)
    return Response(vendored(name), media_type=guess_type(name)[0], headers=SAFE | DAY)


def served() -> Iterable[str]:
    return {file.name for file in FILES.iterdir() if file.name.rsplit(".", 1)[-1] in SERVED}


def vendored(name: str) -> bytes:
    return FILES.joinpath(name).read_bytes()


FILES: Final = files("commands.docs_page")
