"""How pyarrow is to behave in this process."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    """Finds no pandas, as if it were not installed."""

    def find_spec(
        self,
        fullname: str,
        path: object,  # noqa: ARG002 - Python's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)
        return None


def compute_on_one_core() -> None:
    """For a process that is one of many on this machine, before it has a second thread."""
    keep_pandas_out()
    pa.set_cpu_count(1)


def keep_pandas_out() -> None:
    """Lets pyarrow do without pandas, which it imports at its first scalar to know its types.

    That takes longer than to read a file. For a process that hands it nothing of pandas, before it
    has a second thread. Who asks pyarrow for a data frame later still gets one.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.scalar(0)  # looks for pandas, and remembers that there is none
    finally:
        sys.meta_path.remove(finder)
