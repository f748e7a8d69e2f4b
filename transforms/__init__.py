"""What happens to a row: one module a stage, pure functions first."""
