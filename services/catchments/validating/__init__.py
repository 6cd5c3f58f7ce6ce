"""Validation analysis (验证分析): a year's registrations asked of an edition before the season, and again once it is mended."""
