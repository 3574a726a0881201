"""What each stage of a login costs by itself: `python -m bench.stages`."""
