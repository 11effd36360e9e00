"""`chobo settings`: every setting with its present value."""

from __future__ import annotations

from dataclasses import asdict

from infra.cli.show import Json, show


def settings(*, json: Json = False) -> None:
    """List every setting: variable, value (secrets masked), default and meaning."""
    from infra.settings import Profile, Settings, rows

    present = Settings.read(defaults={"profile": Profile.DEVELOPMENT})
    lines = (asdict(row) for row in rows(present))
    show(({k: v for k, v in line.items() if json or k != "secret"} for line in lines), as_json=json)
