"""`chobo documents`: the list of GraphQL documents that front ends are allowed to ask for by their hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.show import Json, show


class DocumentsRefused(Exception):
    """Documents that could never be executed. The message has a line for each."""


def documents(
    *,
    sources: Annotated[list[Path], typer.Argument(help="*.graphql files, and folders of them.", exists=True)],
    out: Annotated[Path, typer.Option(help="The file to write; CHOBO_DOCUMENTS names it.")] = Path("documents.json"),
    data: Annotated[
        Path | None, typer.Option(help="Directory whose secret signs, unless CHOBO_CURSOR_SECRET is set.")
    ] = None,
    json: Json = False,
) -> None:
    """Check documents, and write them with their hashes into a file that this installation has signed."""
    from infra.cli.installation import installation
    from read_api.persisted import hash_of, signed_list

    texts = {path: path.read_text() for path in files(sources)}
    if complaints := [f"{path}: {why}" for path, text in texts.items() for why in wrong(text)]:
        raise DocumentsRefused("\n".join(complaints))
    if not texts:
        raise typer.BadParameter("there is no *.graphql file in what was named")
    secret = installation(data=data).cursor_secret.get_secret_value()
    out.write_bytes(signed_list(texts.values(), secret))
    show(({"file": str(path), "sha256Hash": hash_of(text)} for path, text in texts.items()), as_json=json)


def files(sources: Iterable[Path]) -> Iterator[Path]:
    for source in sources:
        yield from sorted(source.rglob("*.graphql")) if source.is_dir() else [source]


def wrong(text: str) -> Iterator[str]:
    """What would be refused at the first request."""
    from read_api.documents import DocumentRefused
    from read_api.schema import make_schema

    try:
        make_schema().documents.get(text)
    except DocumentRefused as refusal:
        yield from (error.message for error in refusal.errors)
