"""What there is and when it runs: Dagster's partitions, assets, jobs and sensors.

Imports neither pyspark nor boto3, so that definitions load fast and without an engine.
"""
