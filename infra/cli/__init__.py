"""The command line. Each command's module imports what it needs when it is called, so that `--help` comes at once."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from infra.cli import (
    audit,
    batch,
    demo,
    documents,
    erasures,
    events,
    log,
    mail,
    move,
    parked,
    payments,
    programs,
    replay,
    routes,
    sagas,
    serve,
    settings,
    show_aggregate,
    todo,
    token,
    up,
    verify,
    work,
)

DONE, REFUSED, WRONG_USAGE, UNAVAILABLE = 0, 1, 2, 3

app = typer.Typer(
    name="chobo",
    help="Chobo: an event-sourced commerce backend. Exit codes: 0 done, 1 refused, 2 wrong usage, 3 unavailable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("serve")(serve.serve)
app.command("work")(work.work)
app.command("demo")(demo.demo)
app.command("events")(events.events)
app.command("show")(show_aggregate.show_aggregate)
app.command("audit")(audit.audit)
app.command("settings")(settings.settings)
app.command("routes")(routes.routes)
app.command("openapi")(routes.openapi)
app.command("asyncapi")(routes.asyncapi)
app.command("documents")(documents.documents)
app.command("token")(token.token)
app.command("models")(replay.models)
app.add_typer(replay.replay)
app.add_typer(parked.parked)
app.add_typer(todo.todo)
app.add_typer(sagas.sagas)
app.add_typer(payments.payments)
app.add_typer(erasures.erasures)
app.add_typer(verify.verify)
app.add_typer(log.log)
app.add_typer(batch.batch)
app.add_typer(mail.mail)
app.command("move-context")(move.move_context)
app.command("programs")(programs.programs)


def main() -> NoReturn:
    try:
        app(standalone_mode=True)
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        print(f"chobo: {error}", file=sys.stderr)
        sys.exit(code)
    sys.exit(DONE)


def exit_code(error: Exception) -> int | None:
    """How the process ends for an error that needs no traceback; None for all others."""
    kinds = {name for cls in type(error).__mro__ for name in (cls.__name__,)}
    for code, names in CODES.items():
        if kinds & names:
            return code
    return None


# By name, so that nothing is imported to find out what went wrong.
CODES: dict[int, set[str]] = {
    REFUSED: {
        "DocumentsRefused", "DomainError", "LeavesOut", "MoveFailed", "MoveRefused", "NoReceipt", "NotEmpty",
        "NotReadable", "NotTakenInHand", "NotWhole", "OperationRefused", "RefusedByServer", "ReplayRefused",
    },
    WRONG_USAGE: {"SettingsRefused", "BadKeys", "ListDamaged", "UnknownFormat", "WrongMasterKey"},
    UNAVAILABLE: {
        "AddressInUse", "DataDirectoryInUse", "GivenUp", "KafkaError", "KafkaFailed", "MigrationChanged", "NoWorker",
        "NotErasedYet", "NothingRuns", "OperationalError", "PoolTimeout", "PostgresFailed", "ServerTooOld",
        "ShapeChanged", "StillUnderWay", "Unavailable",
    },
}  # fmt: skip
