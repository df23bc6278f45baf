"""What training cost: session load, daily sums, acute and chronic load, fitness, alerts. Numpy in, numpy out; no
I/O."""

from services.load.domain.alerts import Alert
from services.load.domain.assessment import LoadAssessment, LoadSeries, StreamLoad, assess_load, load_history
from services.load.domain.daily import DailyLoads, daily_loads
from services.load.domain.effort import ScoredSession, score_session, score_sessions
from services.load.domain.fitness import StartingFitness
from services.load.domain.strength import EstimatedMax, estimated_max_kg

__all__ = [
    "Alert",
    "DailyLoads",
    "EstimatedMax",
    "LoadAssessment",
    "LoadSeries",
    "ScoredSession",
    "StartingFitness",
    "StreamLoad",
    "assess_load",
    "daily_loads",
    "estimated_max_kg",
    "load_history",
    "score_session",
    "score_sessions",
]
