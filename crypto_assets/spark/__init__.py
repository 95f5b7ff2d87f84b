"""How tables are computed: arrays of one currency, DataFrames of accounts, and their jobs.

This folder is what an EMR job receives, so it imports pyspark, pyarrow, numpy and the standard
library only, and nothing else of ours; its entry point `main` speaks the Pipes protocol too. Where
files live and when a step runs is decided elsewhere (`resources/` and `defs/`).
"""
