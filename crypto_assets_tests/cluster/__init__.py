"""Engine `spark` on a standalone cluster and by Spark Connect, all on loopback."""
