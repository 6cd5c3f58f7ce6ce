"""The kinds of long work that rules know."""

from services.kernel.rules.trials import TRIAL_JOB, run_trial

__all__ = ["TRIAL_JOB", "run_trial"]
