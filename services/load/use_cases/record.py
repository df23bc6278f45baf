"""Which version of a session or a mark is stored. No message order changes the outcome."""

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.load.messages import RecordedSession
from services.load.store import LoadAthleteRow, LoadStore, SessionRow
from services.load.use_cases.publish import publish_scored
from services.load.use_cases.score import MEASURED, EstimateBasis, bases_of, rescore
from shared.athletes.batches import AthleteBatch
from shared.athletes.day_digests import first_day
from shared.bus.routes import APPLIED, Context, Effect, effect_of
from shared.db.versions import Version, is_newer, stands
from shared.messages.times import day_of_session
from shared.messages.values import Profile

_UTC = ZoneInfo("UTC")


@dataclass(slots=True, kw_only=True)
class TrainingBatch(AthleteBatch[LoadAthleteRow]):
    """One athlete's messages about training. ``stored``: the rows of the sessions that they name, by (athlete,
    session); what is new is added. ``changed``: rows with the context of the message that changed them; ``before`` and
    ``days``: where these stood."""

    store: LoadStore
    stored: MutableMapping[tuple[str, str], SessionRow] = field(default_factory=dict)
    changed: dict[str, tuple[SessionRow, Context]] = field(default_factory=dict)
    before: list[EstimateBasis] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    marked: set[date] = field(default_factory=set)

    @property
    def bases(self) -> list[EstimateBasis]:
        """Where something changed."""
        return [*bases_of(row for row, _ in self.changed.values()), *self.before]

    def record(self, context: Context, sessions: Sequence[RecordedSession], version: Version) -> dict[str, Effect]:
        """Stores each session whose version wins: the highest revision, then the later ce-time, then the greater
        ce-id. What came of each."""
        effects: dict[str, Effect] = {}
        self._publish_before_a_second(one.session for one in sessions)
        for sent in sessions:
            row = self._row(sent.session)
            if _is_stored(row, sent.revision, version):
                effects[sent.session] = _lost_to_record(row, version)
                continue
            if row.counts:
                self.before += bases_of([row])
                self.days += [] if row.day is None else [row.day]
            row.revision, (row.recorded_at, row.recorded_id) = sent.revision, version
            done = sent.done
            row.body = done.model_dump(mode="json", exclude_defaults=True)
            row.start, row.duration_min, row.kind = done.start, done.duration_min, done.kind
            row.day = self._day_of(row)
            row.distance_km = done.distance_km
            row.confirmed, row.zero_effort = done.confirmed, done.rpe == 0
            row.counts = _counts(row)
            effects[sent.session] = effect_of(version, stands(version, row.removed_at, row.removed_id))
            if row.counts:
                self._change(context, row)
        return effects

    def remove(self, context: Context, session: str, version: Version) -> Effect:
        """Marks the session removed as of ``version``; it counts again only when it is recorded later than that.

        The mark stays even for a session never heard of: its record may still be on the way.
        """
        self._publish_before_a_second([session])
        row = self._row(session)
        effect = effect_of(version, stands(version, row.removed_at, row.removed_id))
        if effect == APPLIED:
            row.removed_at, row.removed_id = version
        counted = row.counts
        row.counts = _counts(row)
        if counted and not row.counts:
            self._change(context, row)
        return _lost_to_record(row, version) if row.counts else effect

    def mark(self, context: Context, day: date, state: str, version: Version) -> Effect:
        if day in self.marked:
            self.store.db.flush()  # so that the earlier mark of the same day is found
        effect = effect_of(version, self.store.mark(self.athlete, day, state, version))
        if effect == APPLIED:
            self.marked.add(day)
            self.due(context, day)
        return effect

    def put(self, context: Context, before: Profile | None, profile: Profile) -> None:
        """The sessions whose day or score the new profile changes, and the days that have another end."""
        for row in self.store.counting_rows(self.athlete):
            day = self._day_of(row)
            if day != row.day or _is_affected(row, before, profile):
                self.days += [] if row.day is None else [row.day]
                row.day = day
                self._change(context, row)
        if before is None or before.timezone != profile.timezone:
            # Marks that came before somebody said who the athlete is have not been told, nor has the new zone's today.
            self.due(context, first_day(profile.day_of(context.now())))
        elif self.changed:
            self.due(context, profile.day_of(context.now()))

    def score_and_publish(self, has_estimates: bool = True) -> None:
        """Publishes each session whose score is another on behalf of the message that changed it."""
        if not self.changed or self.profile is None:
            return
        rows = [row for row, _ in self.changed.values()]
        settings = self.context.rules.settings("recovery")
        for row, scored in rescore(self.store, self.athlete, self.profile, settings, rows, self.before, has_estimates):
            _, context = self.changed.get(row.session, (row, self.context))
            publish_scored(context, row, scored, self.row)
            self.days += [] if row.day is None else [row.day]
        self.due(self.context, min(self.days, default=None))
        self.changed, self.before, self.days = {}, [], []

    def _day_of(self, row: SessionRow) -> date | None:
        """The session's day; of a start that names no clock in the time zone that was the athlete's then."""
        if row.body is None:
            return row.day
        start = datetime.fromisoformat(row.body["start"])
        return day_of_session(start, row.body.get("timezone"), self.row.zone_at(start) or _UTC)

    def _row(self, session: str) -> SessionRow:
        athlete = self.athlete
        row = self.stored.get((athlete, session))
        if row is None:
            row = self.stored[athlete, session] = SessionRow(
                tenant=self.store.tenant, athlete=athlete, session=session, counts=False
            )
            self.store.db.add(row)
        return row

    def _change(self, context: Context, row: SessionRow) -> None:
        self.changed[row.session] = (row, context)
        self.context = context

    def _publish_before_a_second(self, sessions: Iterable[str]) -> None:
        """A session that comes twice is published twice: each of its messages has its own event."""
        if any(session in self.changed for session in sessions):
            self.store.db.flush()
            self.score_and_publish()


def _is_stored(row: SessionRow, revision: int, version: Version) -> bool:
    """Whether a version at least as new is; a row that knows only a removal has none."""
    if row.revision is None or row.recorded_at is None:
        return False
    return (row.revision, row.recorded_at, row.recorded_id or "") >= (revision, *version)


def _lost_to_record(row: SessionRow, version: Version) -> Effect:
    assert row.recorded_at is not None
    return effect_of(version, (row.recorded_at, row.recorded_id or ""), row.revision)


def _counts(row: SessionRow) -> bool:
    if row.recorded_at is None:
        return False
    return is_newer((row.recorded_at, row.recorded_id or ""), row.removed_at, row.removed_id)


def _is_affected(session: SessionRow, before: Profile | None, after: Profile) -> bool:
    """Whether a new profile changes the session's score."""
    if before is None or session.load is None:
        return True
    hearts = [(p.hr_rest, p.hr_max, p.sex) for p in (before, after)]
    return session.method != MEASURED and hearts[0] != hearts[1]
