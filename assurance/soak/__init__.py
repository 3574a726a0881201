"""Causes every fault of attacks.md part E from outside of the service, and checks the results.

It uses HTTP, SQL on the database, and signals only: `python -m assurance.soak NAME... --full`.
"""
