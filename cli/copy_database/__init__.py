"""`python -m cli copy-database`: copies the SQLite database into an empty PostgreSQL database.

`source` opens the SQLite file so that no other process writes to it, `copying` copies the rows and
compares both sides. Both take the tables from the models and name none of them.
"""
