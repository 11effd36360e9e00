"""`chobo token`: an access token for another process, or for trying things out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.show import Json, show_line

Data = Annotated[Path | None, typer.Option(help="Directory whose secrets sign, unless CHOBO_TOKEN_KEYS is set.")]


def token(
    *,
    service: Annotated[str, typer.Option(help="Name of the process; it is recorded as the actor.")] = "cli",
    user: Annotated[UUID | None, typer.Option(help="A user's token instead.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="With --user: customer, staff, operator, admin.")] = None,
    seconds: Annotated[int, typer.Option(min=1, max=31_536_000, help="How long it is good for.")] = 3600,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print an access token, signed with the keys of this installation."""
    from domain.actor import Actor, Role
    from domain.actor import service as named_service
    from infra.cli.installation import installation
    from infra.tokens import SigningKeys, Tokens

    if unknown := set(role or ()) - {str(r) for r in Role if r is not Role.SERVICE}:
        raise typer.BadParameter(f"unknown role {', '.join(sorted(unknown))}")
    settings = installation(data=data)
    actor = Actor(user, frozenset(map(Role, role or ["customer"]))) if user else named_service(service)
    text = Tokens(SigningKeys(settings.token_keys.get_secret_value()), issuer=settings.token_issuer).lasting(
        actor, seconds
    )
    if json:
        show_line({"token": text, "actor": str(actor), "expiresIn": seconds})
    else:
        print(text)
