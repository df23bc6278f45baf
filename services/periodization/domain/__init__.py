"""What each week should aim for: seasons from goals, and weeks filled with sessions. Pure: no I/O, no clock."""

from services.periodization.domain.defaults import (
    MAX_WEEKS_RUNNING,
    default_season_weeks,
    default_week_template,
)
from services.periodization.domain.deloads import deload_facts
from services.periodization.domain.filling import fill_week
from services.periodization.domain.planning import early_deload_triggers, plan_season
from services.periodization.domain.season import (
    CoachDeload,
    DeloadStart,
    PlannedGoal,
    Season,
    SeasonChoices,
    SeasonInputs,
    SeasonWeek,
)
from services.periodization.domain.taper import taper_time_constant, taper_week_shares

__all__ = [
    "MAX_WEEKS_RUNNING",
    "CoachDeload",
    "DeloadStart",
    "PlannedGoal",
    "Season",
    "SeasonChoices",
    "SeasonInputs",
    "SeasonWeek",
    "deload_facts",
    "default_season_weeks",
    "default_week_template",
    "early_deload_triggers",
    "fill_week",
    "plan_season",
    "taper_time_constant",
    "taper_week_shares",
]
