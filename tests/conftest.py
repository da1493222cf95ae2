"""The folder of the tests is importable, and Hypothesis runs the same everywhere."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("ci", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("ci")
