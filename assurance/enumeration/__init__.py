"""Tests whether `/login/begin` or its timing tells who is registered.

D1 and D2 are rows of docs/threat-model.md.
"""
