"""What rows of the read models looked like when their `table.sql` was last changed.

python -m tests.projections.shapes       notes how they look now
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from projections.model import Model
from projections.models import MODELS
from tests.golden.check import shape_of

SHAPES: Final = Path(__file__).with_name("shapes.json")

Shape = dict[str, str]
"""`tables`, the fingerprint of table.sql, and `rows`, that of the rows with all that is nested in them."""


def shape(model: Model) -> Shape:
    rows = {p.table.name: shape_of(TypeAdapter(p.table.row).json_schema()) for p in model.projectors}
    return {"tables": fingerprint(model.table_sql), "rows": fingerprint(json.dumps(rows, sort_keys=True))}


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def noted() -> dict[str, Shape]:
    found: dict[str, Shape] = json.loads(SHAPES.read_text())
    return found


def unreadable(now: Shape, before: Shape | None) -> bool:
    """Whether rows that were written before would be read as if they were of today's shape."""
    return before is not None and now["rows"] != before["rows"] and now["tables"] == before["tables"]


def main() -> None:
    before = noted() if SHAPES.exists() else {}
    shapes = {model.name: shape(model) for model in MODELS}
    if stuck := [name for name, now in shapes.items() if unreadable(now, before.get(name))]:
        raise SystemExit(f"change table.sql of {', '.join(stuck)} too, be it by a comment: then it is built anew")
    SHAPES.write_text(json.dumps(shapes, indent=1) + "\n")


if __name__ == "__main__":
    main()
