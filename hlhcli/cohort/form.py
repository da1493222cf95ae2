"""The form of what a cohort writes: the columns that every result has, and the name of the manifest's form."""

from __future__ import annotations

FIXED = (
    "person_id", "anchor", "criteria", "verdict", "met", "unknown", "required", "score_min", "score_max",
    "by", "applicable", "anchor_time",
)  # fmt: skip
SCHEMA = "hlhcli.cohort-manifest/1"
