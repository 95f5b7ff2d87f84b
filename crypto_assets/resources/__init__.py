"""Where things are: engine, inbox, registry, lake, warehouse and the Dagster instance.

The only home of file systems, databases and cloud clients. What is computed is `spark/`; when it
runs is `defs/`.
"""
