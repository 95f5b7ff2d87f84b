"""How tables are computed: DataFrame -> DataFrame code and the job that runs it.

This folder is what an EMR job receives, so it imports pyspark, pyarrow and the standard library
only, and nothing else of ours; its entry point `main` speaks the Pipes protocol too. Where files
live and when a step runs is decided elsewhere (`resources/` and `defs/`).
"""
