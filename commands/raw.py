"""A POST beside the table of commands: its body is taken as it comes, and what is in it says who sends it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawPost:
    """For the documents. The path has one parameter; `statuses` are those of the problems it answers with."""

    path: str
    name: str
    summary: str
    parameter: str
    statuses: tuple[int, ...]

    @property
    def collection(self) -> str:
        return self.path.split("/")[2]

    @property
    def parameter_name(self) -> str:
        """`gateway` of `/v1/webhooks/{gateway}`."""
        return self.path.partition("{")[2].partition("}")[0]
