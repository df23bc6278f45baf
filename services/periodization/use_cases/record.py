"""What is said of an athlete is stored, unless a newer version is."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.periodization.messages import AssessedDay, SetGoals, StartDeload
from services.periodization.store import ChoiceRow, CoachDeloadRow, SeasonStore, Source
from shared.bus.routes import Effect, effect_of
from shared.db.versions import Version, upsert_newer
from shared.rules.vocabulary import features_of

CHOICES: Final = ("goals", "season_start", "week_template", "weeks")
_DAY_FEATURES: Final = frozenset(features_of("athlete"))


def record_goals(store: SeasonStore, body: SetGoals, version: Version) -> dict[str, Effect]:
    """Each choice that is named, unless a later command named it too; what came of each."""
    store.profile()  # locks the athlete
    plain = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    rows = [
        ChoiceRow(**store.key, field=field, value=plain[field], version=version) for field in CHOICES if field in plain
    ]
    effects = {row.field: effect_of(version, upsert_newer(store.db, row)) for row in rows}
    store.note_chosen(version)
    return effects


def record_deload(store: SeasonStore, body: StartDeload, version: Version) -> Effect:
    row = CoachDeloadRow(**store.key, starts=body.start, days=body.days, reason=body.reason, version=version)
    return effect_of(version, upsert_newer(store.db, row))


def record_days(store: SeasonStore, source: Source, days: Sequence[AssessedDay], version: Version) -> bool:
    """Whether the facts of any day changed."""
    return store.upsert_days(source, {day.date: _features(day) for day in days}, version)


def _features(day: AssessedDay) -> Mapping[str, Any]:
    """What rules may ask about; the rest of what was said of the day is nobody's business here."""
    plain = (bool, int, float, str, type(None))
    return {name: value for name, value in day.figures.items() if name in _DAY_FEATURES and isinstance(value, plain)}
