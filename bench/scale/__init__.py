"""Measures the service with a million users and ten million audit rows."""
