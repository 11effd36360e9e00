"""`chobo routes`, `chobo openapi` and `chobo asyncapi`: what we serve and publish, as a table and as documents."""

from __future__ import annotations

from infra.cli.show import Json, show


def routes(*, json: Json = False) -> None:
    """List every route: path, command, scope, who may, idempotency key."""
    from dataclasses import asdict

    from commands.router import table

    show((asdict(row) for row in table()), as_json=json)


def openapi() -> None:
    """Print the OpenAPI 3.1 document of the command API."""
    from json import dumps

    from commands.openapi import document
    from commands.router import RAW, RESOURCES, ROUTES

    print(dumps(document(ROUTES, RESOURCES, raw=RAW), indent=2, ensure_ascii=False))


def asyncapi() -> None:
    """Print the AsyncAPI 3 document of the events that the relay publishes."""
    from json import dumps

    from infra.asyncapi import document

    print(dumps(document(), indent=2, ensure_ascii=False))
