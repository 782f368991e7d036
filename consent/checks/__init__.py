"""Numbered system checks: each says in one sentence what is wrong and what to do.

Errors (`consent.E…`) keep the server from starting; warnings (`consent.W…`) do not.
Importing this registers them.
"""

from consent.checks import of_data, of_imports, of_settings

__all__ = ["of_data", "of_imports", "of_settings"]
