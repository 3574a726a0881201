"""What the packaging uses already and the service does not know yet.

A name leaves these lists when its feature comes: `test_settings` fails until it does.
"""

SETTINGS: set[str] = set()
# Settings that are there, but do not yet take the value they are given.
VALUES: set[str] = set()
ROUTES: set[str] = set()
FILES: set[str] = set()
