"""Where the notices of runs go."""
