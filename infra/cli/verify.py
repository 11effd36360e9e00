"""`chobo verify`: whether log, read models, topic and gateway say the same; each wrong thing is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.consent import Yes, agreed
from infra.cli.show import Json

verify = typer.Typer(
    name="verify",
    help="Compare log, read models, topic and gateway; exit code 1 when something is wrong.",
    no_args_is_help=True,
)

Contexts = Annotated[list[str] | None, typer.Option("--context", help="Only this context's (may be repeated).")]
Data = Annotated[Path | None, typer.Option(help="Data directory of the running `chobo up`.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="A PostgreSQL instead of the embedded one.")]
Repair = Annotated[bool, typer.Option("--repair", help="Repair what can safely be made again from the log.")]
Reason = Annotated[str | None, typer.Option(help="With --repair: why. It is recorded.")]


@verify.command("log")
def log(*, context: Contexts = None, data: Data = None, database_url: DatabaseUrl = None, json: Json = False) -> None:
    """Check positions, versions and ids of the logs, and that this release can read every event."""
    import asyncio

    from infra.cli import verifying
    from infra.cli.installation import reachable

    settings = reachable(data=data, database_url=database_url)
    raise typer.Exit(asyncio.run(verifying.verify_logs(settings, context or [], as_json=json)))


@verify.command("models")
def models(
    *,
    model: Annotated[list[str] | None, typer.Option(help="Only this read model (may be repeated).")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Fold every row anew and compare what is in it.")] = False,
    repair: Repair = False,
    reason: Reason = None,
    yes: Yes = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Check every generation of the read models against the logs, row by row, and its sums against its rows."""
    import asyncio

    from infra.cli import verifying
    from infra.cli.installation import reachable

    why = asked(repair, reason, "Repair read models? Their consumers wait for each row.", yes=yes)
    settings = reachable(data=data, database_url=database_url)
    done = verifying.verify_models(settings, model or [], deep=deep, repair=why, as_json=json)
    raise typer.Exit(asyncio.run(done))


@verify.command("topic")
def topic(
    *,
    context: Contexts = None,
    kafka: Annotated[str | None, typer.Option(help="Brokers, instead of CHOBO_KAFKA_BOOTSTRAP.")] = None,
    repair: Repair = False,
    reason: Reason = None,
    yes: Yes = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Check that what was published is on the topics, within their retention: whole, in order, byte for byte."""
    import asyncio

    from infra.cli import verifying
    from infra.cli.installation import reachable

    why = asked(repair, reason, "Send once more what is missing? Consumers pass over what they have.", yes=yes)
    settings = reachable(data=data, database_url=database_url, kafka_bootstrap=kafka)
    raise typer.Exit(asyncio.run(verifying.verify_topics(settings, context or [], repair=why, as_json=json)))


@verify.command("payments")
def payments(
    *,
    days: Annotated[int | None, typer.Option(min=1, help="Only what has changed in so many days.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Record what the gateway knows and we do not.")] = False,
    reason: Reason = None,
    yes: Yes = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Compare payments with the gateway, and orders with payments. Money is never moved by this."""
    import asyncio

    from infra.cli import verifying_payments
    from infra.cli.installation import reachable

    why = asked(repair, reason, "Record what the gateway knows and we do not?", yes=yes)
    settings = reachable(data=data, database_url=database_url)
    raise typer.Exit(asyncio.run(verifying_payments.verify_payments(settings, days, repair=why, as_json=json)))


def asked(repair: bool, reason: str | None, question: str, *, yes: bool) -> str | None:
    """The reason for repairing, None if that is not asked for."""
    if not repair:
        return None
    if not reason:
        raise typer.BadParameter("--repair changes something: say --reason")
    agreed(question, yes=yes)
    return reason
