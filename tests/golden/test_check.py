"""The check itself can fail: each kind of careless change is caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar
from uuid import UUID

import pytest
from pydantic import Field

from domain.event import EVENT_TYPES, JSON, Event, PersonalData
from tests.golden.check import fingerprint, missing, reshaped
from tests.golden.corpus import Sample
from tests.golden.example import example

TOPIC = "golden.thing-happened"


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """Each class takes the place of the one before: as if the source had been edited."""
    yield
    EVENT_TYPES.pop(TOPIC, None)


def edited(cls: type[Event]) -> type[Event]:
    EVENT_TYPES.pop(TOPIC)
    return cls


def thing() -> type[Event]:
    class ThingHappened(Event):
        TOPIC = TOPIC
        OWNER: ClassVar[str] = "owner_id"
        owner_id: UUID
        note: PersonalData[str]
        size: int = Field(ge=1)

    return edited(ThingHappened)


def with_another_field() -> type[Event]:
    class ThingHappened(Event):
        TOPIC = TOPIC
        OWNER: ClassVar[str] = "owner_id"
        owner_id: UUID
        note: PersonalData[str]
        size: int = Field(ge=1)
        colour: str = "red"

    return edited(ThingHappened)


def with_a_tighter_limit() -> type[Event]:
    class ThingHappened(Event):
        TOPIC = TOPIC
        OWNER: ClassVar[str] = "owner_id"
        owner_id: UUID
        note: PersonalData[str]
        size: int = Field(ge=2)

    return edited(ThingHappened)


def no_longer_sealed() -> type[Event]:
    class ThingHappened(Event):
        TOPIC = TOPIC
        OWNER: ClassVar[str] = "owner_id"
        owner_id: UUID
        note: str
        size: int = Field(ge=1)

    return edited(ThingHappened)


def upcast() -> type[Event]:
    class ThingHappened(Event):
        TOPIC = TOPIC
        OWNER: ClassVar[str] = "owner_id"
        class_version = 2
        owner_id: UUID
        note: PersonalData[str]
        size: int = Field(ge=1)
        colour: str

        @staticmethod
        def upcast_v1_v2(state: JSON) -> None:
            state["colour"] = "red"

    return edited(ThingHappened)


def documented() -> type[Event]:
    class ThingHappened(Event):
        """Now with a word about it."""

        TOPIC = TOPIC
        OWNER: ClassVar[str] = "owner_id"
        owner_id: UUID
        note: PersonalData[str]
        size: int = Field(ge=1, description="in cm")

    return edited(ThingHappened)


KNOWN = {TOPIC: {"1": fingerprint(thing())}}
V1 = Sample(TOPIC, UUID(int=1), 1, {"size": 1}, {"note": ""})
V1_ERASED = Sample(TOPIC, UUID(int=1), 1, {"size": 1}, erased=True)


def test_the_same_shape_passes() -> None:
    assert reshaped([thing()], KNOWN) == []
    assert reshaped([documented()], KNOWN) == []


@pytest.mark.parametrize("edit", [with_another_field, with_a_tighter_limit, no_longer_sealed])
def test_another_shape_needs_another_schema_version(edit: Callable[[], type[Event]]) -> None:
    [problem] = reshaped([edit()], KNOWN)
    assert "raise class_version to 2" in problem


def test_another_schema_version_needs_a_fingerprint() -> None:
    [problem] = reshaped([upcast()], KNOWN)
    assert "v2 has no fingerprint" in problem
    assert reshaped([upcast()], {TOPIC: KNOWN[TOPIC] | {"2": fingerprint(upcast())}}) == []


def test_every_schema_version_needs_a_sample_and_an_erased_one() -> None:
    cls = upcast()
    assert missing([cls], []) == [(cls, 1, False), (cls, 1, True), (cls, 2, False), (cls, 2, True)]
    assert missing([cls], [V1, V1_ERASED]) == [(cls, 2, False), (cls, 2, True)]


def test_a_proposed_sample_is_valid() -> None:
    cls = with_another_field()
    assert cls.model_validate(example(cls))
