"""What GraphQL is measured against, in the same process: the ordinary executor, and a route that does nothing but ask.

/bench/executor takes what /graphql takes, without the compiled path; /bench/bare answers with the bytes that the SQL of
the document in /bench/sql gives; /bench/sql takes a document and gives that SQL.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.actor import service
from projections.pool import answered
from read_api.app import GraphQLApp
from read_api.compiled.path import CompiledPath, known_of


def add_routes(app: Starlette) -> None:
    served = next(route.endpoint for route in app.routes if isinstance(route, Route) and route.path == "/graphql")
    assert isinstance(served, GraphQLApp)
    beside = Beside(served)
    app.routes[:0] = [
        Route("/bench/executor", beside.executor),
        Route("/bench/bare", beside.bare, methods=["POST"]),
        Route("/bench/sql", beside.take, methods=["POST"]),
    ]


class Beside:
    def __init__(self, served: GraphQLApp) -> None:
        self._pool = served._pool
        self._schema = served._schema
        self._path = CompiledPath(self._schema, served._cursors)
        self._sql = b"SELECT 'nothing'"
        self.executor = GraphQLApp(
            self._schema, self._pool, served._watch, served._authenticate, served._cursors, compiled=False
        )

    async def take(self, request: Request) -> Response:
        asked = self._schema.documents.ask((await request.body()).decode(), None, None)
        known = known_of(asked.operation)
        plan, wanted = self._path._planned(known, asked, service("bench"))
        self._sql, _, values = self._path._statement(known, plan, wanted, service("bench"))
        assert not values, "pgbench gets it as it is"
        return PlainTextResponse(self._sql.decode())

    async def bare(self, request: Request) -> Response:
        return Response(await answered(self._pool, self._sql, ()), media_type="application/json")
