"""Fairness of catchments (公平性分析): places against children, the walk to the matched kindergarten against the nearest."""
