"""`python -m tests.golden.make [context ...]` adds the samples and fingerprints that are missing.

It never rewrites any. What it adds is a proposal: read it, put real values in and see that the streams make sense
before it is committed. After that it stays for ever. A history of real events is kept by `keep(context, events)`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from domain.aggregate import Context
from domain.event import Event
from domain.ids import derive
from tests.golden.check import FINGERPRINTS, fingerprint, fingerprints, missing
from tests.golden.corpus import Sample, classes_of, contexts, file_of, sample_of, samples_of
from tests.golden.example import example

T = TypeVar("T")


def keep(context: Context, history: Iterable[Event]) -> None:
    """Adds what the corpus lacks of a whole stream, and what a reader sees of it once its owner is erased."""
    known = samples_of(context.name)
    added: list[Sample] = []
    for event in history:
        sample = sample_of(event)
        added.append(sample)
        if sample.personal and not any(s.topic == sample.topic and s.erased for s in [*known, *added]):
            added.append(replace(sample, personal={}, erased=True))
    append(context, [sample for sample in added if sample not in known])


def append(context: Context, samples: Iterable[Sample]) -> None:
    with file_of(context.name).open("a", encoding="utf-8") as file:
        file.writelines(f"{sample.line()}\n" for sample in samples)


def add_samples(context: Context) -> int:
    """How many were added. Raises LookupError for an older schema version: that only the past can tell."""
    known = samples_of(context.name)
    added: list[Sample] = []
    for cls, version, erased in missing(classes_of(context), known):
        if version < cls.class_version:
            raise LookupError(f"{cls.TOPIC} v{version} has no sample: write it by hand, as it was stored")
        added.append(proposed(cls, erased, context, [*known, *added]))
    append(context, added)
    return len(added)


def proposed(cls: type[Event], erased: bool, context: Context, samples: Sequence[Sample]) -> Sample:
    id, version = place_of(cls, context, samples)
    present = first(s for s in samples if s.topic == cls.TOPIC and s.class_version == cls.class_version)
    if present is None:
        values = example(cls) | {"originator_id": id, "originator_version": version}
        return sample_of(cls.model_validate(values))
    return Sample(cls.TOPIC, id, version, present.state, erased=True) if erased else present


def place_of(cls: type[Event], context: Context, samples: Sequence[Sample]) -> tuple[UUID, int]:
    """Where the event type stands in its aggregate's stream: with its other samples, or at the end."""
    if other := first(s for s in samples if s.topic == cls.TOPIC):
        return other.originator_id, other.originator_version
    base = next(base for base in context.folds if issubclass(cls, base))
    id = derive("golden", f"{context.name}/{base.__name__}")
    return id, 1 + max((s.originator_version for s in samples if s.originator_id == id), default=0)


def first(values: Iterator[T]) -> T | None:
    return next(values, None)


def add_fingerprints(context: Context) -> None:
    known = fingerprints()
    for cls in classes_of(context):
        known.setdefault(cls.TOPIC, {}).setdefault(str(cls.class_version), fingerprint(cls))
    FINGERPRINTS.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


def main(names: Sequence[str]) -> None:
    for context in contexts():
        if not names or context.name in names:
            print(f"{context.name}: {add_samples(context)} samples added")
            add_fingerprints(context)


if __name__ == "__main__":
    main(sys.argv[1:])
