"""Letters in words: `templates/<trigger>.<locale>.{txt,html}`. The first line of the text is the subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup

from domain.money import Money
from infra.mail import formats

FOLDER: Final = Path(__file__).with_name("templates")
LOCALES: Final = ("en", "ja")
"""The first is for whoever reads none of them."""


@dataclass(frozen=True, slots=True)
class Written:
    locale: str
    subject: str
    text: str
    html: str


class Templates:
    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            finalize=one_line,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"amount": amount, "date": date, "moment": moment}

    def write(self, trigger: str, locale: str, words: Mapping[str, Any]) -> Written:
        """In the user's language if there is a template in it. Raises jinja2.TemplateError."""
        chosen = language(locale)
        said = {**words, "locale": chosen}
        subject, _, text = self._rendered(f"{trigger}.{chosen}.txt", said).strip().partition("\n")
        return Written(chosen, subject, text.strip() + "\n", self._rendered(f"{trigger}.{chosen}.html", said))

    def _rendered(self, template: str, words: Mapping[str, Any]) -> str:
        return self._environment.get_template(template).render(words)


def language(locale: str) -> str:
    """`ja` for `ja-JP`."""
    spoken = locale.partition("-")[0]
    return spoken if spoken in LOCALES else LOCALES[0]


def one_line(value: Any) -> Any:
    """Whatever is filled in: no name gets a line of its own, neither in a subject nor in a text."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return " ".join(value.split())
    return value


@pass_context
def amount(context: Context, money: Money) -> str:
    return formats.amount(money, context["locale"])


@pass_context
def date(context: Context, at: datetime) -> str:
    return formats.date(at, context["locale"])


@pass_context
def moment(context: Context, at: datetime) -> str:
    return formats.moment(at, context["locale"])
