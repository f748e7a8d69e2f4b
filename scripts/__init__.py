"""How the shipped data was made: runnable as `python -m scripts.<name>` from a checkout."""
