"""One function a chart. Each draws into `ax`, or into a new figure, and returns the axes."""

from helpers.plots.amounts import amounts, init_by_package_size, latency_breakdown
from helpers.plots.comparisons import comparison
from helpers.plots.costs import cost_by_load, provisioned_break_even
from helpers.plots.distributions import distributions, percentile_bars
from helpers.plots.style import grid
from helpers.plots.timelines import environments
from helpers.plots.tuning import memory_law, power_tuning

__all__ = [
    "amounts",
    "comparison",
    "cost_by_load",
    "distributions",
    "environments",
    "grid",
    "init_by_package_size",
    "latency_breakdown",
    "memory_law",
    "percentile_bars",
    "power_tuning",
    "provisioned_break_even",
]
