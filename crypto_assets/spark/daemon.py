"""What Apache Spark on this machine forks its Python processes from: `spark.python.daemon.module`.

Spark puts a ZIP file with PySpark's sources first on their path. They would be compiled at each
start, and the file's index read again at each task; PySpark is installed here besides.
"""

import os
import sys
from importlib.machinery import PathFinder

_PACKED = os.path.join(os.environ.get("SPARK_HOME", ""), "python", "lib")  # noqa: PTH118 - as sys.path

_unpacked = [entry for entry in sys.path if os.path.dirname(entry) != _PACKED]  # noqa: PTH120
if PathFinder.find_spec("pyspark", _unpacked):
    sys.path[:] = _unpacked

from pyspark.daemon import manager  # noqa: E402

if __name__ == "__main__":
    manager()  # type: ignore[no-untyped-call]
