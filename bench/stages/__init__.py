"""What each stage of a login costs alone: `python -m bench.stages`."""
