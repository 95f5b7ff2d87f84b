"""Reads the CSV files people upload: daily crypto price histories and Google-Trends series.

The public interface is what is exported here. `words.csv` is the one place to extend with a new
language or site; `reading.py` shows the path of a file. Needs only pyarrow: it runs on workers.
"""

from .model import Columns, Export, Options
from .reading import read_export
from .shapes import understood_shapes

__all__ = ["Columns", "Export", "Options", "read_export", "understood_shapes"]
