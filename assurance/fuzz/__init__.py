"""Mutants of genuine requests against the real application, in this process: `make fuzz`."""
