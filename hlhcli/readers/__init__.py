"""Readers turn what exists into a Patient, and tell what they could not read."""
