"""The settings under which `make check` looks at a deployment.

They are the product's own, but for two warnings that say nothing about the code: the
geo database that ships with it grows old by itself, and nobody outside vouches here.
"""

from settings import *  # noqa: F403

SILENCED_SYSTEM_CHECKS = ["consent.W011", "consent.W031"]
