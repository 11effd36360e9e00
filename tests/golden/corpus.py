"""The golden corpus: for every schema version of every event type a sample of what is stored, for ever.

`<context>.jsonl` has a line a sample: `topic, originator_id, originator_version`, `state` (the stored JSON without
identity and personal fields), `personal` (what is sealed), or `erased` where the owner's key is gone. Lines of one
originator are a stream; lines with the same version in it are variants of one event: schema versions, erased or not.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import domain
from domain.aggregate import Context
from domain.event import ERASED, EVENT_TYPES, JSON, Event, event_class, personal_fields, upcast

HERE = Path(__file__).parent
IDENTITY = {"originator_id", "originator_version"}


@dataclass(frozen=True)
class Sample:
    topic: str
    originator_id: UUID
    originator_version: int
    state: JSON
    personal: JSON = field(default_factory=dict)
    erased: bool = False

    @property
    def class_version(self) -> int:
        version: int = self.state.get("class_version", 1)
        return version

    @property
    def event(self) -> Event:
        """The event as it is read today."""
        cls = event_class(self.topic)
        state = deepcopy(self.state)
        state |= dict.fromkeys(personal_fields(cls), ERASED) if self.erased else deepcopy(self.personal)
        upcast(cls, state)
        return cls.model_validate(
            state | {"originator_id": self.originator_id, "originator_version": self.originator_version}
        )

    def line(self) -> str:
        value: dict[str, Any] = {
            "topic": self.topic,
            "originator_id": str(self.originator_id),
            "originator_version": self.originator_version,
            "state": self.state,
        }
        value |= {"personal": self.personal} if self.personal else {}
        value |= {"erased": True} if self.erased else {}
        return json.dumps(value, ensure_ascii=False)


def sample_of(event: Event) -> Sample:
    """The sample that storing this event leads to."""
    cls = type(event)
    state = event.model_dump(mode="json", exclude=IDENTITY | personal_fields(cls))
    if cls.class_version > 1:
        state["class_version"] = cls.class_version
    personal = event.model_dump(mode="json", include=set(personal_fields(cls)))
    return Sample(cls.TOPIC, event.originator_id, event.originator_version, state, personal)


def contexts() -> list[Context]:
    """Every context there is; importing them registers every event class."""
    packages = [
        import_module(f"domain.{module.name}") for module in pkgutil.iter_modules(domain.__path__) if module.ispkg
    ]
    return [package.CONTEXT for package in packages]


def classes_of(context: Context) -> list[type[Event]]:
    return [cls for cls in EVENT_TYPES.values() if cls.__module__.startswith(f"domain.{context.name}.")]


def file_of(context: str) -> Path:
    return HERE / f"{context}.jsonl"


def samples_of(context: str) -> list[Sample]:
    path = file_of(context)
    if not path.exists():
        return []
    return [read(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def read(line: str) -> Sample:
    value = json.loads(line)
    value["originator_id"] = UUID(value["originator_id"])
    return Sample(**value)


def histories(samples: Iterable[Sample]) -> Iterator[tuple[list[Sample], Sample]]:
    """Each sample with those before it in its stream, one a version: what it is folded on."""
    streams: dict[UUID, dict[int, list[Sample]]] = {}
    for sample in samples:
        streams.setdefault(sample.originator_id, {}).setdefault(sample.originator_version, []).append(sample)
    for stream in streams.values():
        before: list[Sample] = []
        for _, variants in sorted(stream.items()):
            for variant in variants:
                yield list(before), variant
            before.append(variants[0])
