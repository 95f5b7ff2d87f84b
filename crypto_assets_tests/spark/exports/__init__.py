"""Tests of `crypto_assets.spark.exports`. Every file in them is made here, none is a real one."""
