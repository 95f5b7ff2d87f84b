"""The currencies: registry, names, choices, refreshing and removing one."""
