"""The committed files that show our public surfaces. A change of one is a diff that somebody has read.

python -m infra.contracts           writes them anew
python -m infra.contracts --check   exits 1 and shows the difference when one is not what the code says
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def openapi() -> str:
    from commands.openapi import document
    from commands.router import RAW, RESOURCES, ROUTES

    return json.dumps(document(ROUTES, RESOURCES, raw=RAW), indent=2, ensure_ascii=False) + "\n"


def asyncapi() -> str:
    from infra.asyncapi import document

    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def graphql() -> str:
    from read_api.schema import schema_graphql

    return schema_graphql()


def errors() -> str:
    import commands.router  # noqa: F401 - between them these bring every refusal
    import infra.event_log.mapper  # noqa: F401
    import read_api.schema  # noqa: F401
    from commands.pages import errors_markdown

    return errors_markdown()


def metrics() -> str:
    from infra.telemetry.metrics import markdown

    return markdown()


def settings() -> str:
    from infra.settings import Profile, Settings, rows

    lines = [
        "# Settings",
        "",
        "Made from the code (`make contracts`). Each is a variable of the environment; a variable `CHOBO_*` that is",
        "not in this list is refused. `chobo settings` shows the present values. Secrets are shown nowhere; production",
        "(`CHOBO_PROFILE`) refuses to start without its own.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for row in rows(Settings(profile=Profile.DEVELOPMENT)):
        default = "secret" if row.secret else f"`{row.default}`" if row.default else ""
        lines.append(f"| `{row.name}` | {default} | {row.meaning} |")
    return "\n".join(lines) + "\n"


def routes() -> str:
    from commands.router import route_table

    return route_table()


FILES: Final[dict[str, Callable[[], str]]] = {
    "docs/openapi.json": openapi,
    "docs/asyncapi.json": asyncapi,
    "docs/errors.md": errors,
    "docs/metrics.md": metrics,
    "docs/settings.md": settings,
    "docs/routes.md": routes,
    "schema.graphql": graphql,
}


def main(arguments: Sequence[str]) -> int:
    if "--check" in arguments:
        return check()
    for name, made in FILES.items():
        (ROOT / name).write_text(made())
    return 0


def check() -> int:
    differences = [line for name, made in FILES.items() for line in difference(name, made())]
    from infra.schema_breaks import breaks

    if broken := breaks(ROOT, graphql()):
        print("\n".join(broken), file=sys.stderr)
        print("Front ends would break. Deprecate first, or say why in docs/schema-breaks.md.", file=sys.stderr)
        return 1
    if not differences:
        return 0
    print("\n".join(differences[:60]), file=sys.stderr)
    print("A public surface has changed. If that is meant: make contracts, and commit the difference.", file=sys.stderr)
    return 1


def difference(name: str, now: str) -> list[str]:
    path = ROOT / name
    committed = path.read_text() if path.exists() else ""
    return list(
        unified_diff(committed.splitlines(), now.splitlines(), f"{name} (committed)", f"{name} (the code)", lineterm="")
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
