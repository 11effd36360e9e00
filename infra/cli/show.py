"""How results are shown: a table for people, with `--json` one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

WIDE = 240
"""Columns of a table that goes into a file or a pipe."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]


def show(rows: Iterable[Mapping[str, Any]], *, as_json: bool, title: str = "") -> None:
    """All rows have the same keys; these are the columns."""
    if as_json:
        for row in rows:
            show_line(row)
        return
    from rich.console import Console
    from rich.table import Table

    rows = list(rows)
    table = Table(title=title or None, box=None, header_style="bold", pad_edge=False)
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console = Console()
    console = console if console.is_terminal else Console(width=WIDE)
    console.print(table)


def show_line(row: Mapping[str, Any]) -> None:
    """One JSON object, at once: a reader at the other end of a pipe waits for it."""
    print(json.dumps(row, default=str, ensure_ascii=False), flush=True)
