"""What every event has in common: identity, time, a stable type, a schema version, and sealed personal fields."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

JSON = dict[str, Any]
T = TypeVar("T")

EVENT_TYPES: dict[str, type[Event]] = {}
"""Every event class by its event type. Stored types are looked up here and nowhere else."""


class Erased(BaseModel, frozen=True, extra="forbid"):
    """What is read where a personal field was, once its owner's key has been destroyed."""

    erased: Literal[True] = True

    def __str__(self) -> str:
        return "(erased)"


ERASED = Erased()


class Personal:
    """Marks a field that is sealed under its owner's key wherever the event is stored or sent."""


PersonalData = Annotated[T | Erased, Personal(), Field(repr=False, union_mode="left_to_right")]
"""A field about a person. It reads as `Erased` once the person's key is destroyed. Top-level fields of events only."""


class Event(BaseModel):
    """Something that happened to one aggregate. What is stored of it is a contract for ever.

    A concrete subclass sets `TOPIC`, the event type (`orders.order-placed`), which never changes. When its shape
    changes, it raises `class_version` by one and adds a static `upcast_vN_vM(state)` that mends a stored state.
    A class with personal fields names in `OWNER` the field that holds the id of the user they belong to. Only where
    that field may be None can such an event be about no user's data, and is stored as it is.
    """

    TOPIC: ClassVar[str] = ""
    OWNER: ClassVar[str] = ""
    class_version: ClassVar[int] = 1

    # not class keywords: as such mypy wants `frozen` repeated on every subclass
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    originator_id: UUID
    originator_version: int = Field(ge=1)
    timestamp: AwareDatetime

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        topic = cls.__dict__.get("TOPIC", "")
        if not topic:
            return  # a base such as OrderEvent
        if EVENT_TYPES.setdefault(topic, cls) is not cls:
            raise TypeError(f"{cls.__name__}: the event type {topic} is taken by {EVENT_TYPES[topic].__name__}")
        if personal_fields(cls) and cls.OWNER not in cls.model_fields:
            raise TypeError(f"{cls.__name__} has personal fields; OWNER must name the field with their owner's id")
        for n in range(1, cls.class_version):
            if not hasattr(cls, f"upcast_v{n}_v{n + 1}"):
                raise TypeError(
                    f"{cls.__name__} is at schema version {cls.class_version} but has no upcast_v{n}_v{n + 1}"
                )

    @property
    def owner(self) -> UUID | None:
        """The user whose personal fields these are; None, where the class allows it, for nobody's: not sealed."""
        owner: UUID | None = getattr(self, self.OWNER)
        return owner


@cache
def personal_fields(cls: type[Event]) -> frozenset[str]:
    return frozenset(
        name for name, field in cls.model_fields.items() if any(isinstance(m, Personal) for m in field.metadata)
    )


def event_class(topic: str) -> type[Event]:
    """The class of a stored event type. Raises UnknownEventType, never imports what the database happens to name."""
    try:
        return EVENT_TYPES[topic]
    except KeyError:
        raise UnknownEventType(topic) from None


def upcast(cls: type[Event], state: JSON) -> JSON:
    """Brings a stored state up to today's schema version, step by step.

    Raises NewerSchema when it was written by a later release than this one.
    """
    stored = state.pop("class_version", 1)
    if stored > cls.class_version:
        raise NewerSchema(cls.TOPIC, stored, cls.class_version)
    for n in range(stored, cls.class_version):
        getattr(cls, f"upcast_v{n}_v{n + 1}")(state)
    return state


class UnknownEventType(Exception):
    def __init__(self, topic: str) -> None:
        super().__init__(f"unknown event type {topic!r}: this release has no class for it")
        self.topic = topic


class NewerSchema(Exception):
    def __init__(self, topic: str, stored: int, known: int) -> None:
        super().__init__(f"{topic} was stored at schema version {stored}; this release knows up to {known}")
        self.topic = topic


def after(aggregate: Any, at: datetime) -> JSON:
    """The identity of an aggregate's next event, to be spread into its constructor."""
    return {"originator_id": aggregate.id, "originator_version": aggregate.version + 1, "timestamp": at}


def first(id: UUID, at: datetime) -> JSON:
    """The identity of an aggregate's first event."""
    return {"originator_id": id, "originator_version": 1, "timestamp": at}
