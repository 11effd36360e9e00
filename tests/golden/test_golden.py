"""What was ever stored can be read: every sample goes through upcasters, its aggregate and the read models."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.aggregate import Context
from projections.model import Model
from projections.models import MODELS
from tests.golden.check import fingerprints, missing, reshaped
from tests.golden.corpus import classes_of, contexts, histories, sample_of, samples_of
from tests.projections.fakes import recorded

ALL = contexts()
each_context = pytest.mark.parametrize("context", ALL, ids=lambda context: context.name)


@each_context
def test_every_schema_version_ever_written_has_a_sample(context: Context) -> None:
    wanted = [
        f"{cls.TOPIC} v{v}{' erased' * e}" for cls, v, e in missing(classes_of(context), samples_of(context.name))
    ]
    assert wanted == [], f"python -m tests.golden.make {context.name}"


@each_context
def test_every_sample_is_folded_by_its_aggregate(context: Context) -> None:
    for before, sample in histories(samples_of(context.name)):
        state = context.fold(None, [earlier.event for earlier in before])
        assert context.evolve(state, sample.event).version == sample.originator_version


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_sample_is_folded_into_its_rows(model: Model) -> None:
    for before, sample in histories(sample for context in model.contexts for sample in samples_of(context)):
        rows: dict[tuple[str, UUID], Any] = {}
        for event in (each.event for each in [*before, sample]):
            for projector, id in model.touched(event):
                place = projector.table.name, id
                rows[place] = projector.apply(rows.get(place), recorded(event, event.originator_version))
                assert rows[place].version == event.originator_version


@each_context
def test_a_sample_of_todays_schema_version_is_what_is_stored_today(context: Context) -> None:
    for sample in samples_of(context.name):
        event = sample.event
        if sample.class_version == type(event).class_version and not sample.erased:
            assert sample_of(event) == sample


@each_context
def test_no_event_changed_shape_without_a_new_schema_version(context: Context) -> None:
    assert reshaped(classes_of(context), fingerprints()) == []


def test_no_sample_and_no_fingerprint_is_of_an_event_type_that_is_gone() -> None:
    topics = {cls.TOPIC for context in ALL for cls in classes_of(context)}
    assert {sample.topic for context in ALL for sample in samples_of(context.name)} <= topics
    assert set(fingerprints()) <= topics
