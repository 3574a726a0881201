"""Copies of the SQLite database: take one, restore one, verify one.

The service may run while a copy is taken. PostgreSQL has tools of its own: pg_dump and pg_restore.
"""
