"""From what is recorded to the athlete's season."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from json import dumps

from services.periodization.domain import Season, SeasonInputs, early_deload_triggers, plan_season
from services.periodization.store import SeasonStore
from services.periodization.use_cases.gather import gather_season
from services.periodization.use_cases.publish import publish_season
from shared.bus.routes import Context
from shared.messages.values import Profile
from shared.rules.decisions import Rules


@dataclass(frozen=True, slots=True)
class AthleteSeason:
    """One athlete whose profile is known, within one call of a handler."""

    store: SeasonStore
    profile: Profile
    today: date

    def inputs(self, rules: Rules, first: date | None = None, weeks: int | None = None) -> SeasonInputs:
        return gather_season(self.store, self.profile, self.today, rules, first, weeks)


def athlete_season(context: Context, athlete: str) -> AthleteSeason | None:
    """None while nobody has put the athlete: without a time zone there is no today."""
    store = SeasonStore(context.db, context.tenant, athlete)
    profile = store.profile()
    return None if profile is None else AthleteSeason(store, profile, context.now().astimezone(profile.zone).date())


def plan_and_publish(context: Context, athlete: str) -> None:
    """Plans the season from all that is recorded and publishes what differs from what was published last; nothing
    without a profile or without goals."""
    known = athlete_season(context, athlete)
    row = None if known is None else known.store.season()
    if known is None or row is None:
        return
    inputs = known.inputs(context.rules)
    season = plan_season(inputs, context.rules)
    row.published = publish_season(context, known.store, season, inputs, row.published)
    row.due_at = datetime.combine(known.today + timedelta(days=1), time.min, known.profile.zone)
    row.packs, row.triggers = packs_of(context.rules), _triggers(inputs, context.rules)
    context.db.flush()


def plan_if_triggers_changed(context: Context, athlete: str) -> None:
    """After news of days: most of it asks for no deload, and then the season cannot have changed."""
    known = athlete_season(context, athlete)
    row = None if known is None else known.store.season()
    if known is not None and row is not None and row.triggers != _triggers(known.inputs(context.rules), context.rules):
        plan_and_publish(context, athlete)


def season_from(known: AthleteSeason, rules: Rules, first: date | None, weeks: int | None) -> Season:
    """``weeks`` of the season from the week of day ``first`` on; None: from its first week, all of them."""
    inputs = known.inputs(rules, first, weeks)
    season = plan_season(inputs, rules)
    return season.from_week_of(first or inputs.start, weeks)


def packs_of(rules: Rules) -> str:
    return "/".join(rules.pack(kind).hash for kind in ("deload", "periodization"))


def _triggers(inputs: SeasonInputs, rules: Rules) -> str:
    triggers = [(day.isoformat(), names) for day, names in early_deload_triggers(inputs, rules)]
    return sha256(dumps(triggers).encode()).hexdigest()
