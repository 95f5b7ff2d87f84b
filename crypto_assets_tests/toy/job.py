"""The job of the toy data set."""

from pathlib import Path

from pyspark.sql import functions as F

from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.storage import read_partition, write_partition
from crypto_assets_tests.toy.data_set import LINES, PAIRS


def _lines(session, spec, partitions):
    for partition in partitions:
        rows = [
            (kind, number, word)
            for kind, upload in partition.files.items()
            for number, word in enumerate(Path(upload.uri).read_text().splitlines(), 1)
        ]
        frame = session.createDataFrame(rows, "kind string, line int, word string")
        write_partition(frame, spec.staging, LINES, partition.name, "line")
        yield Verdict(partition.name, "toy_lines", measures={"rows": len(rows)})


def _pairs(session, spec, partitions):
    for partition in partitions:
        lines = read_partition(session, spec.staging, LINES, partition.name)
        words = lines.where("kind = 'words'").select("line", "word")
        others = lines.where("kind = 'translations'").select(
            "line", F.col("word").alias("translation")
        )
        pairs = words.join(others, "line", "left").select("word", "translation")
        write_partition(pairs, spec.staging, PAIRS, partition.name, "word")
        missing = pairs.where("translation IS NULL").count()
        problems = (f"{missing} words without a translation",) if missing else ()
        yield Verdict(partition.name, "toy_pairs", problems, {"rows": pairs.count()})


STEPS = {"toy_lines": _lines, "toy_pairs": _pairs}
