"""What is wrong with the corpus: samples that are missing, and events that changed shape behind its back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from domain.event import Event, personal_fields
from domain.money import DECIMALS
from tests.golden.corpus import HERE, Sample

FINGERPRINTS = HERE / "fingerprints.json"
WORDS_ONLY = {"title", "description", "examples"}

Fingerprints = Mapping[str, Mapping[str, str]]
"""Event type -> schema version -> hash of its shape."""


def fingerprints() -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = json.loads(FINGERPRINTS.read_text()) if FINGERPRINTS.exists() else {}
    return known


def fingerprint(cls: type[Event]) -> str:
    """A hash of what is stored: names, types, constraints, and which fields are sealed for whom."""
    shape = [shape_of(cls.model_json_schema(by_alias=False)), sorted(personal_fields(cls)), cls.OWNER]
    return sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]


def shape_of(schema: Any) -> Any:
    """A JSON schema without its words. The list of currencies is left out too: it may grow."""
    if isinstance(schema, list):
        return [shape_of(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: shape_of(value) for key, value in schema.items() if not irrelevant(key, value)}


def irrelevant(key: str, value: Any) -> bool:
    return (key in WORDS_ONLY and isinstance(value, (str, list))) or (key == "enum" and value == sorted(DECIMALS))


def missing(classes: Iterable[type[Event]], samples: Iterable[Sample]) -> list[tuple[type[Event], int, bool]]:
    """(class, schema version, erased) of which there is no sample."""
    there = {(sample.topic, sample.class_version, sample.erased) for sample in samples}
    return [wanted for wanted in needed(classes) if (wanted[0].TOPIC, *wanted[1:]) not in there]


def needed(classes: Iterable[type[Event]]) -> list[tuple[type[Event], int, bool]]:
    return [
        (cls, version, erased)
        for cls in classes
        for version in range(1, cls.class_version + 1)
        for erased in ([False, True] if personal_fields(cls) else [False])
    ]


def reshaped(classes: Iterable[type[Event]], known: Fingerprints) -> list[str]:
    """What to do about each class whose shape is not the one known for its schema version."""
    return [problem for cls in classes if (problem := problem_with(cls, known.get(cls.TOPIC, {})))]


def problem_with(cls: type[Event], known: Mapping[str, str]) -> str | None:
    """None if the class has the shape known for its version. That older ones can be read, their samples prove."""
    version = str(cls.class_version)
    if version not in known:
        return f"{cls.TOPIC} v{version} has no fingerprint: python -m tests.golden.make"
    if known[version] != fingerprint(cls):
        return f"{cls.TOPIC} changed shape: raise class_version to {cls.class_version + 1} and add an upcast"
    return None
