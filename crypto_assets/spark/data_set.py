"""A data set as one value: what people upload of it and what is made of that, layer by layer.

Whatever works for every data set is given such a value; what is particular to one is in the folders
named after it. The values are in each data set's `data_set` module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crypto_assets.spark.tables import Table


@dataclass(frozen=True)
class DataSet:
    """A data set; `partition` names what its tables are partitioned by, such as `ticker`.

    `noun` is what people call its contents, `command` what they type to try again. `files` are the
    kinds of file a partition is made from and `layers` what is made of them, in order, each with a
    sentence on what it holds. `tables` are the lake's, `sql` those of the warehouse by the layer
    that they are loaded with. `job` is the module whose `STEPS` compute
    the layers, or whose `compute` makes them of `each` partition. A `batched` one has runs over
    many partitions.
    """

    name: str
    noun: str
    partition: str
    command: str
    files: Mapping[str, str]
    layers: Mapping[str, str]
    tables: tuple[Table, ...]
    job: str
    sql: Mapping[str, Table] = field(default_factory=dict)
    each: bool = False
    batched: bool = False

    def layer_before(self, layer: str) -> str | None:
        """The layer that this one is made from; None for the first one."""
        layers = list(self.layers)
        at = layers.index(layer)
        return layers[at - 1] if at else None

    def tables_of(self, layer: str) -> list[Table]:
        return [table for table in self.tables if table.layer == layer]
