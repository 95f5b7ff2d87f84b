"""What runs a job: Sail or Apache Spark in this process, or EMR Serverless."""
