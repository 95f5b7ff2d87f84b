"""What every data set has: a registry of its partitions, and bringing them up to date."""
