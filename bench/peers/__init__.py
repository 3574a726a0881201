"""Measures other passkey servers and this one by turns, under the same load."""
