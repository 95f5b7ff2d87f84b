"""The words exports are written with: header words per role and language, month names.

They are in `words.csv`, a row for each language; several words for one thing are apart by `|`. How
words are compared is in lookup.py, the sites' shapes are in shapes.py.
"""

import csv
from importlib.resources import files

_TABLE = files(__package__).joinpath("words.csv").read_text(encoding="utf-8").splitlines()
_ROWS = {row.pop("language"): row for row in csv.DictReader(_TABLE)}


def _column(name: str) -> dict[str, str]:
    """The words of a column by language, as on the site; compared after `plain()`."""
    return {language: row[name] for language, row in _ROWS.items() if row[name]}


# The first header of a trend, and the names of the months, by language.
TREND_TIMES, MONTHS = _column("trend_time"), _column("months")
# Header words by role.
HEADERS = {
    role: _column(role)
    for role in next(iter(_ROWS.values()))
    if role not in ("trend_time", "months")
}

# Words in a value's header which say it is search interest; matched as parts of the header.
TREND_WORDS = (
    *("trend", "interes", "intéresse", "search", "popular", "google", "gtrend", "hype", "svi"),
    *("запрос", "热度", "搜索"),
)
# Words around a term that do not make it another one: "bitcoin price", "interesse bitcoin".
TERM_NOISE = (
    "price prices coin crypto cryptocurrency token interest interesse interes trend trends "
    "google search searches news usd eur unscaled score index value volume worldwide prezzo "
    "precio preço kurs prix cours цена"
)

# Short forms which are no beginning of the word, and genitives: month number -> words.
MONTH_EXTRAS = {
    1: "sty stycznia января січня",
    2: "lut lutego февраля лютого fev",
    3: "mrt марта березня марта mrz maa",
    4: "апреля квітня kwi kwietnia",
    5: "мая травня maja",
    6: "июня червня czerwca jun",
    7: "июля липня lipca juil jul",
    8: "августа серпня sierpnia agt",
    9: "сентября вересня września sept",
    10: "октября жовтня października",
    11: "ноября листопада listopada",
    12: "декабря грудня grudnia",
}
