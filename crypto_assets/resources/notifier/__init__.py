"""Who is told what a run did."""
