"""Personal fields: sealed in what is stored, readable with the key, erased without it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag

from domain.event import ERASED, Event, PersonalData
from infra.event_log.mapper import CannotSeal, EventMapper, owner_of
from tests.golden.corpus import samples_of
from tests.infra.stored import SameKey


class Remembered(Event):
    TOPIC: ClassVar[str] = "tests.remembered"
    OWNER: ClassVar[str] = "person"
    class_version: ClassVar[int] = 2

    person: UUID
    name: PersonalData[str]
    mood: str

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """v1 had no mood."""
        state["mood"] = "unknown"


class Explained(Event):
    """Nobody's words where nobody is named."""

    TOPIC: ClassVar[str] = "tests.explained"
    OWNER: ClassVar[str] = "by"

    by: UUID | None
    words: PersonalData[str]


class Counted(Event):
    TOPIC: ClassVar[str] = "tests.counted-up"

    count: int


class Keys:
    def __init__(self) -> None:
        self.keys: dict[UUID, bytes | None] = {}

    def get(self, owner: UUID) -> bytes | None:
        return self.keys[owner]


@pytest.fixture
def keys() -> Keys:
    return Keys()


def remembered(keys: Keys) -> Remembered:
    person = uuid4()
    keys.keys[person] = b"k" * 32
    now = datetime.now(UTC)
    return Remembered(
        originator_id=uuid4(), originator_version=3, timestamp=now, person=person, name="Hanako", mood="calm"
    )


def back(mapper: EventMapper, event: Event, stored: bytes) -> Event:
    return mapper.decode(event.originator_id, event.originator_version, event.TOPIC, stored)


def test_what_is_stored_shows_nothing_personal_and_reads_back_equal(keys: Keys):
    mapper, event = EventMapper(keys), remembered(keys)
    stored = mapper.encode(event)
    assert b"Hanako" not in stored
    assert owner_of(stored) == event.person
    assert back(mapper, event, stored) == event


def test_without_the_key_it_reads_as_erased(keys: Keys):
    mapper, event = EventMapper(keys), remembered(keys)
    stored = mapper.encode(event)
    keys.keys[event.person] = None
    erased = back(mapper, event, stored)
    assert isinstance(erased, Remembered)
    assert (erased.name, erased.mood) == (ERASED, "calm")


def test_words_are_sealed_for_who_said_them_and_stand_as_they_are_where_nobody_did(keys: Keys):
    mapper, person = EventMapper(keys), uuid4()
    keys.keys[person] = b"k" * 32
    for by in (person, None):
        said = Explained(originator_id=uuid4(), originator_version=1, timestamp=datetime.now(UTC), by=by, words="so")
        stored = mapper.encode(said)
        assert owner_of(stored) == by
        assert (b'"words":"so"' in stored) is (by is None)
        assert back(mapper, said, stored) == said


def test_nothing_personal_is_stored_of_the_erased(keys: Keys):
    event = remembered(keys)
    keys.keys[event.person] = None
    with pytest.raises(CannotSeal):
        EventMapper(keys).encode(event)


def test_an_unknown_key_is_an_error_and_never_reads_as_erased(keys: Keys):
    mapper, event = EventMapper(keys), remembered(keys)
    stored = mapper.encode(event)
    keys.keys.clear()
    with pytest.raises(KeyError):
        back(mapper, event, stored)


def test_a_box_does_not_open_in_another_place(keys: Keys):
    mapper, event = EventMapper(keys), remembered(keys)
    with pytest.raises(InvalidTag):
        mapper.decode(event.originator_id, 4, event.TOPIC, mapper.encode(event))


def test_an_older_schema_version_is_brought_up_to_date(keys: Keys):
    mapper, event = EventMapper(keys), remembered(keys)
    state = json.loads(mapper.encode(event))
    del state["mood"], state["class_version"]
    upcast = back(mapper, event, json.dumps(state).encode())
    assert isinstance(upcast, Remembered)
    assert (upcast.name, upcast.mood) == ("Hanako", "unknown")


def test_a_state_that_was_cut_or_damaged_at_its_ends_is_never_read_as_another_one(keys: Keys):
    """Whole numbers end where one likes: cut, 14 would read as 1."""
    event = Counted(originator_id=uuid4(), originator_version=1, timestamp=datetime.now(UTC), count=14)
    mapper = EventMapper(keys)
    stored = mapper.encode(event)
    assert stored.endswith(b"14}")
    for damaged in [stored[:n] for n in range(len(stored))] + [b"[" + stored[1:], stored + b"}", stored[:-1] + b",}"]:
        with pytest.raises(ValueError, match=r"JSON|EOF|expected|key|trailing"):
            back(mapper, event, damaged)


def test_identity_is_the_rows_whatever_the_state_says(keys: Keys):
    mapper, event = EventMapper(keys), remembered(keys)
    for state in (json.loads(mapper.encode(event)), {"person": str(event.person), "name": "Hanako", "mood": "calm"}):
        odd = {"originator_id": str(uuid4()), "originator_version": 77, "timestamp": str(event.timestamp)} | state
        read = back(mapper, event, json.dumps(odd | {"class_version": 2}, separators=(",", ":")).encode())
        assert (read.originator_id, read.originator_version) == (event.originator_id, event.originator_version)


def test_a_sealed_state_is_read_however_its_json_is_written(keys: Keys):
    mapper, event = EventMapper(keys), remembered(keys)
    state = json.loads(mapper.encode(event))
    others_first = {"sealed": state["sealed"]} | state
    for stored in (json.dumps(state), json.dumps(state, separators=(",", ":")), json.dumps(others_first)):
        assert owner_of(stored.encode()) == event.person
        assert back(mapper, event, stored.encode()) == event


def test_words_that_look_like_a_seal_are_words(keys: Keys):
    mapper = EventMapper(keys)
    words = f',"sealed":{{"of":"{uuid4()}","box":"AAAA"}}}}'
    said = Explained(originator_id=uuid4(), originator_version=1, timestamp=datetime.now(UTC), by=None, words=words)
    stored = mapper.encode(said)
    assert back(mapper, said, stored) == said


def test_personal_fields_are_not_shown_by_repr(keys: Keys):
    assert "Hanako" not in repr(remembered(keys))


def test_names_are_stored_as_they_are_in_the_code_whether_or_not_anything_is_sealed():
    """JSON from outside is camelCase; nobody who reads a log should have to know which of two ways was taken."""
    line = next(sample for sample in samples_of("orders") if sample.topic == "orders.line-added")
    assert json.loads(EventMapper(SameKey()).encode(line.event)) == line.state
