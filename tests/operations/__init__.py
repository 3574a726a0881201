"""What an operator sees of a service, and how a service ends."""

import pytest

# Its assertions say what they found, like those of a test.
pytest.register_assert_rewrite("tests.operations.stopping")
