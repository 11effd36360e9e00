"""A read model is built anew when its table.sql changes. Of what is nested in rows table.sql says nothing."""

from __future__ import annotations

import pytest

from projections.model import Model
from projections.models import MODELS
from tests.projections.shapes import noted, shape, unreadable


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_rows_of_another_shape_come_with_another_table_sql(model: Model) -> None:
    now, before = shape(model), noted().get(model.name)
    assert not unreadable(now, before), "rows changed: change table.sql too, be it by a comment, so that it is rebuilt"
    assert now == before, "python -m tests.projections.shapes"


def test_only_changed_rows_under_the_same_tables_are_unreadable() -> None:
    before = {"tables": "1", "rows": "1"}
    assert unreadable({"tables": "1", "rows": "2"}, before)
    assert not unreadable({"tables": "2", "rows": "2"}, before)
    assert not unreadable({"tables": "2", "rows": "1"}, before)
    assert not unreadable({"tables": "1", "rows": "2"}, None)
