"""The command API's pages and the app that holds everything together: commands first, then what people look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from commands.codes import METHOD_NOT_ALLOWED
from commands.exchange import problem_response
from commands.http import CommandApi, Commands, problem_of
from commands.pages import Jwks, pages
from commands.problems import Problem, refused
from commands.raw import RawPost
from commands.route import Resource, Route
from commands.trace import TRACE, Trace, trace
from domain.errors import NotFound


def app(
    api: CommandApi,
    routes: Sequence[Route],
    resources: Sequence[Resource],
    *,
    jwks: Jwks,
    raw: Mapping[RawPost, BaseRoute] = MappingProxyType({}),
    more: Iterable[BaseRoute] = (),
    outside: Sequence[Middleware] = (),
) -> Starlette:
    """The Starlette app. `raw` are the POSTs beside the table of commands, with what takes them.

    `more` are routes of others (health, GraphQL). What nobody takes is a problem.
    """
    return bare([*raw.values(), Commands(api), *more, *pages(routes, resources, jwks, tuple(raw))], outside)


def bare(routes: Sequence[BaseRoute], outside: Sequence[Middleware] = ()) -> Starlette:
    """An app of these routes alone, which speaks in problems as all of ours do. `outside` is passed on the way in."""
    return Starlette(
        routes=routes, middleware=outside, exception_handlers={HTTPException: not_served, Exception: unexpected}
    )


async def not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(request, problem_about(error, request))


async def unexpected(request: Request, error: Exception) -> Response:
    return answer(request, problem_of(error, carried_by(request)))


def problem_about(error: HTTPException, request: Request) -> Problem:
    """Starlette says 404 and 405 of its own accord; they become problems as everything else."""
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return Problem(METHOD_NOT_ALLOWED, f"only {allowed} is taken here", headers={"allow": allowed})
    return refused(NotFound("address", request.url.path[:200]))


def answer(request: Request, problem: Problem) -> Response:
    carried = carried_by(request)
    sent = problem_response(problem, carried)
    response = Response(sent.body, sent.status)
    response.raw_headers = sent.all_headers(carried)
    return response


def carried_by(request: Request) -> Trace:
    found: Trace | None = request.scope.get(TRACE)
    return found or trace(dict(request.scope["headers"]))
