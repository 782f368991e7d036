"""The settings under which `make check` looks at a deployment.

They are the product's own, but for one warning that says nothing about the code: the
geo database that ships with it grows old by itself.
"""

from settings import *  # noqa: F403

SILENCED_SYSTEM_CHECKS = ["consent.W011"]
