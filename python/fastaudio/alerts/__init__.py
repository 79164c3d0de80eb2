"""Rules that say which sounds raise an alert, when, and what is done then.

`rules` reads them from a TOML file, `watch` tells when one is met, and `commands` runs programs beside the
rest.
"""
