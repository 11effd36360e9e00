"""The words of a text as they are searched, for a PostgreSQL without dictionaries for them.

Case, accents, width and the two kana make no difference. A word of a script with spaces is one word, and found by its
beginning, if that is more than a letter. Text of a script without them (Japanese, Chinese, Thai, ...) is cut into
overlapping pairs of characters, and found by any part of it: the pairs one after the other. An umlaut is found as `ae`
too, as German writes it without one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

MOST_TERMS: Final = 32  # of a search; what comes after them is not looked at
LONGEST: Final = 64  # characters of a word; the rest is not looked at
LAST_POSITION: Final = 16_383  # PostgreSQL's
MOST_POSITIONS: Final = 200  # of one word; PostgreSQL keeps 255

UNSPACED: Final = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"  # marks, kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
RUN: Final = re.compile(f"([{UNSPACED}]+)|[^{UNSPACED}]+")
UMLAUT: Final = re.compile("[aou]\u0308")
OTHER_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ŋ": "n", "ħ": "h"}
    | {chr(katakana): chr(katakana - 0x60) for katakana in range(0x30A1, 0x30F7)}
)
ACCENTS: Final = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class Word:
    """`position` counts words. A word that is spelt in two ways stands there twice."""

    text: str
    position: int


def folded(text: str) -> str:
    """The text as it is compared: without case, accents and width. Japanese voicing marks are no accents."""
    return ACCENTS.sub("", decomposed(text)).translate(OTHER_LETTERS)


def decomposed(text: str) -> str:
    """Lower case, with accents as characters of their own; kana and Hangul stay composed."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(unicodedata.normalize("NFD", c) if c < "\u3000" else c for c in text)


def words(text: str) -> Iterator[Word]:
    """What a text is found by."""
    position = 0
    for spelt, unspaced in runs(text):
        if unspaced:
            for start in range(len(spelt)):
                position += 1
                # the last one stands alone, so that no sequence of pairs runs over the end of a text
                yield Word(spelt[start : start + 2], position)
        else:
            position += 1
            for spelling in spellings(spelt):
                yield Word(spelling, position)


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """Words with their accents, and stretches of script without spaces (True)."""
    for between in "".join(c if is_of_words(c) else " " for c in decomposed(text)).split():
        for run in RUN.finditer(between):
            if run[1]:
                yield folded(run[0]), True
            elif letters := run[0].lstrip("".join(map(chr, range(0x300, 0x370)))):
                yield letters, False


def is_of_words(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def spellings(word: str) -> Iterable[str]:
    plain = folded(word)[:LONGEST]
    with_e = folded(UMLAUT.sub(lambda umlaut: umlaut[0][0] + "e", word))[:LONGEST]
    return (plain,) if with_e == plain else (plain, with_e)


def vector(*texts: tuple[str, str]) -> str:
    """A tsvector, as PostgreSQL itself writes it, of texts with their weights (A to D).

    It must be that very form, as rows are compared with what is read back.
    """
    found: dict[str, dict[int, str]] = {}
    start = 0
    for text, weight in texts:
        last = start
        for word in words(text):
            last = start + word.position
            positions = found.setdefault(word.text, {})
            if len(positions) < MOST_POSITIONS and last <= LAST_POSITION:
                positions.setdefault(last, weight)
        start = last
    return " ".join(f"{quoted(word)}{placed(found[word])}" for word in sorted(found))


def placed(positions: dict[int, str]) -> str:
    """D is what PostgreSQL takes a place without a weight for."""
    return ":" + ",".join(f"{at}{weight.rstrip('D')}" for at, weight in positions.items()) if positions else ""


def query(text: str) -> str | None:
    """A tsquery for rows that have everything in the text; None where there is no word in it."""
    return " & ".join(terms(text, ":*")) or None


def whole(text: str) -> str | None:
    """A tsquery for rows that have some word of the text, and not only the beginning of one."""
    return " | ".join(terms(text, "")) or None


def terms(text: str, ending: str) -> list[str]:
    found = (sequence(spelt) if unspaced else word(spelt, ending) for spelt, unspaced in runs(text))
    return list(islice(dict.fromkeys(found), MOST_TERMS))


def word(spelt: str, ending: str) -> str:
    """Too much begins with any one letter."""
    plain = folded(spelt)[:LONGEST]
    return quoted(plain) + (ending if len(plain) > 1 else "")


def sequence(spelt: str) -> str:
    """Pairs of characters, one after the other. A single character is the beginning of a pair."""
    if len(spelt) == 1:
        return f"{quoted(spelt)}:*"
    return f"({' <-> '.join(quoted(a + b) for a, b in pairwise(spelt[:LONGEST]))})"


def quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
