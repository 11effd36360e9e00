"""`chobo sagas`: what must still happen to orders, why each saga stands where it stands, and taking one in hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from infra.cli.consent import Reason, Yes, agreed
from infra.cli.show import Json

sagas = typer.Typer(
    name="sagas",
    help="Look at sagas, ask why they stand where they stand, and have them go on.",
    no_args_is_help=True,
)

Id = Annotated[UUID, typer.Argument(help="The id of a saga, or of an order.")]
Data = Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")]
Version = Annotated[
    int | None, typer.Option(min=1, help="The version that was looked at.  [default: the one there is now]")
]


@sagas.command("list")
def list_(
    *,
    process: Annotated[str | None, typer.Option(help="checkout, cancellation or return.")] = None,
    status: Annotated[str | None, typer.Option(help="RUNNING, COMPENSATING, STUCK, ... [default: all]")] = None,
    waits_for: Annotated[str | None, typer.Option(help="REPLY, FACT, RETRY, OPERATOR, START or NOTHING.")] = None,
    order: Annotated[UUID | None, typer.Option(help="Those of an order.")] = None,
    slow: Annotated[bool, typer.Option("--slow", help="Only under way for longer than 95 % of its kind take.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """List sagas, the newest first: status, step, what each waits for and since when, its balance."""
    import asyncio

    from infra.cli import saga_rows
    from infra.cli.installation import reachable

    wanted = saga_rows.wanted(process=process, status=status, waits_for=waits_for, order=order)
    settings = reachable(data=data, database_url=database_url)
    asyncio.run(saga_rows.show_list(settings, wanted, limit, slow=slow, as_json=json))


@sagas.command()
def show(*, id: Id, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """Show all that came in and all that was decided, in order, and the balance of money and goods."""
    import asyncio

    from infra.cli import saga_desk
    from infra.cli.installation import reachable

    asyncio.run(saga_desk.show_one(reachable(data=data, database_url=database_url), id, as_json=json))


@sagas.command()
def explain(*, id: Id, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """Say why it stands where it stands, what it waits for, and what comes next."""
    import asyncio

    from infra.cli import saga_desk
    from infra.cli.installation import reachable

    asyncio.run(saga_desk.explain(reachable(data=data, database_url=database_url), id, as_json=json))


@sagas.command("what-if")
def what_if(
    *,
    action: Annotated[str, typer.Argument(help="retry, pause, resume, cancel, resolve or redeliver.")],
    id: Id,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Say which commands an action would cause, and change nothing."""
    import asyncio

    from infra.cli import saga_desk
    from infra.cli.installation import reachable

    kind = saga_desk.action(action)
    asyncio.run(saga_desk.what_if(reachable(data=data, database_url=database_url), id, kind, as_json=json))


def act(
    action: str, question: str, id: UUID, reason: str, version: int | None, data: Path | None, url: str | None, *,
    yes: bool,
) -> None:  # fmt: skip
    import asyncio

    from infra.cli import saga_desk
    from infra.cli.installation import reachable

    agreed(question, yes=yes)
    settings = reachable(data=data, database_url=url)
    asyncio.run(saga_desk.act(settings, id, saga_desk.action(action), reason, version))


@sagas.command()
def retry(
    *, id: Id, reason: Reason, version: Version = None, yes: Yes = False, data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:  # fmt: skip
    """Try now what has failed, waits for its next try, or was parked."""
    act("retry", f"Try saga {id} again now?", id, reason, version, data, database_url, yes=yes)


@sagas.command()
def pause(
    *, id: Id, reason: Reason, version: Version = None, yes: Yes = False, data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:  # fmt: skip
    """Let it take in what comes and do nothing until it is resumed."""
    act("pause", f"Pause saga {id}?", id, reason, version, data, database_url, yes=yes)


@sagas.command()
def resume(
    *, id: Id, reason: Reason, version: Version = None, yes: Yes = False, data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:  # fmt: skip
    """Let a paused one go on."""
    act("resume", f"Resume saga {id}?", id, reason, version, data, database_url, yes=yes)


@sagas.command()
def cancel(
    *, id: Id, reason: Reason, version: Version = None, yes: Yes = False, data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:  # fmt: skip
    """Before the pivot: undo what was done, and reject the order."""
    act("cancel", f"Cancel saga {id} and reject its order?", id, reason, version, data, database_url, yes=yes)


@sagas.command()
def resolve(
    *, id: Id, reason: Reason, version: Version = None, yes: Yes = False, data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:  # fmt: skip
    """Take the step that needs an operator as seen to by hand, and go on behind it."""
    question = f"Was the step at which saga {id} is stuck seen to by hand?"
    act("resolve", question, id, reason, version, data, database_url, yes=yes)


@sagas.command()
def redeliver(
    *, id: Id, reason: Reason, version: Version = None, yes: Yes = False, data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:  # fmt: skip
    """Look again at what waits in its inbox."""
    act("redeliver", f"Offer saga {id} its inbox again?", id, reason, version, data, database_url, yes=yes)
