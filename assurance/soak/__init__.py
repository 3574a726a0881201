"""Every fault of attacks.md part E, done to the service from outside, and what came of it.

Black box: HTTP, SQL on the database, signals. `python -m assurance.soak NAME... --short|--full`.
"""
