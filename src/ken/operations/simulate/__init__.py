"""A plausible organisation's traffic, made up from a seed: what alerts and views are tried on before anybody asks."""
