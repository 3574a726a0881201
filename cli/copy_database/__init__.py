"""From SQLite to PostgreSQL with nothing lost: `python -m cli.copy_database copy`.

`source` opens the file so that nobody writes to it meanwhile, `copying` moves the rows and proves
that they arrived; both go by the models, and know no table by name.
"""
