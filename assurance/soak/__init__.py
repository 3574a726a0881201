"""Causes the faults E1 to E5 of docs/threat-model.md from outside, and checks the results.

It uses HTTP, SQL on the database, and signals only: `python -m assurance.soak NAME... --full`.
"""
