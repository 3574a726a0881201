"""Tests whether `/login/begin` or its timing tells who is registered (attacks.md D1 and D2)."""
