"""Words and their translations, line by line: the data set as one value."""

from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.tables import Column, Table

LANGUAGE = Column("language", "string")
LINES = Table(
    "toy_lines",
    "toy_lines",
    (Column("kind", "string"), Column("line", "int"), Column("word", "string"), LANGUAGE),
    ("language",),
)
PAIRS = Table(
    "toy_pairs",
    "toy_pairs",
    (
        Column("word", "string", "in English"),
        Column("translation", "string", "in the language"),
        LANGUAGE,
    ),
    ("language",),
)

TOY = DataSet(
    name="toy",
    noun="languages",
    partition="language",
    command="toy",
    files={"words": "English words.", "translations": "Their translations."},
    layers={"toy_lines": "Both files, line by line.", "toy_pairs": "Words and translations."},
    tables=(LINES, PAIRS),
    job="crypto_assets_tests.toy.job",
)
