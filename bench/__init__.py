"""What the project measures about itself: runnable as `python -m bench.<name>` from a checkout; results in RESULTS.md."""
