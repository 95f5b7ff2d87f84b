"""Dagster's event log on SQLite: written in batches, and rid of old runs.

The one place that may import private parts of Dagster (`dagster._core`), and nothing else in it
imports from this package's surroundings: it is meant to be offered to Dagster. Each module says in
its docstring which private parts it relies on; the tests compare it with Dagster's own storage.
"""
