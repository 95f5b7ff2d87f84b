"""The processes behind `crypto-assets ui`: Dagster's webserver and daemon, and who watches them.

`serve` starts and ends them, `child` is what each of them begins as, `guard` decides which requests
the webserver answers, `follow` and `output` make the log. What Dagster shows is in `defs/`.
"""
