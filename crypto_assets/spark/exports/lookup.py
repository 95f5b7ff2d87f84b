"""Comparing words with the tables of words.py: normal form, roles, month numbers.

Belongs here: the look-ups made from the tables. Does not: the words themselves.
"""

import re
import unicodedata
from functools import lru_cache

from .words import HEADERS, MONTH_EXTRAS, MONTHS, TREND_TIMES

# ruff: noqa: RUF001 - letters of other languages


@lru_cache(maxsize=4096)
def plain(word: str) -> str:
    """A header word for comparison: no accents, case, units in brackets, dots or signs."""
    word = re.sub(r"[(\[（].*?[)\]）]", " ", word)
    word = unicodedata.normalize("NFKD", word.casefold())
    word = "".join(c for c in word if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+|[+%]", word)) or word.strip()


def _word_roles(words: dict[str, dict[str, str]]) -> dict[str, list[tuple[str, str]]]:
    known: dict[str, list[tuple[str, str]]] = {}
    for role, languages in words.items():
        for language, names in languages.items():
            for name in names.split("|"):
                known.setdefault(plain(name), []).append((role, language))
    return known


def word_set(words: str) -> frozenset[str]:
    """The words of a text that is easier to read than a list of them."""
    return frozenset(words.split())


HEADER_WORDS = _word_roles(HEADERS)
TREND_TIME_WORDS = _word_roles({"time": TREND_TIMES})


def _month_numbers() -> dict[str, int]:
    """Every month word and every beginning of three letters or more that means one month only."""
    meanings: dict[str, set[int]] = {}
    full: dict[str, int] = {}
    for names in MONTHS.values():
        for number, name in enumerate(names.split(), 1):
            word = plain(name)
            full[word] = number
            for end in range(3, len(word) + 1):
                meanings.setdefault(word[:end], set()).add(number)
    known = {word: min(numbers) for word, numbers in meanings.items() if len(numbers) == 1}
    for number, extras in MONTH_EXTRAS.items():
        full.update(dict.fromkeys((plain(w) for w in extras.split()), number))
    return known | full


MONTH_NUMBERS = _month_numbers()
LETTERS = re.compile(r"[^\W\d_]+")


def count_known_words(text: str) -> int:
    """How many words of `text` occur in the tables here: tells encodings apart."""
    words = {plain(w) for w in LETTERS.findall(text) if len(w) > 1}
    phrases = {plain(cell) for cell in re.split(r'[",;\t\n]+', text) if cell.strip()}
    single = sum(w in MONTH_NUMBERS or w in HEADER_WORDS or w in TREND_TIME_WORDS for w in words)
    whole = sum(p in HEADER_WORDS or p in TREND_TIME_WORDS for p in phrases)
    return single + 2 * whole
