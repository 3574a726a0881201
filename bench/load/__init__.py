"""Measures what an operation costs: server CPU, latency, syncs and bytes on the disk."""
