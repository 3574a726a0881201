"""Mutation testing of the security core: does a test fail when a line of it is wrong?

mutmut makes the mutants. Its own runner writes them to disk beside trampolines and leaves out
properties, constants and class attributes; here each mutant lives in the memory of one forked
process, and no file is ever changed.
"""
