"""`python -m cli audit-export`: writes audit events to standard output.

`filters` turns the arguments into a statement, `reading` runs it on SQLite or PostgreSQL a few
hundred rows at a time, `formats` writes the rows.
"""
