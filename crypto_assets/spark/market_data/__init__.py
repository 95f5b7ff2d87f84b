"""How the tables of currencies are computed and audited."""
