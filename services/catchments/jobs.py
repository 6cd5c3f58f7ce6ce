"""The kinds of long work that catchments know."""

from services.catchments.comparing import COMPARE_JOB, run_comparison

__all__ = ["COMPARE_JOB", "run_comparison"]
