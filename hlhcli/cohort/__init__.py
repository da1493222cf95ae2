"""Whole cohorts: the same definitions, compiled to columns and run where the data is."""
