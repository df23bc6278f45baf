"""What messages and the athlete file may carry already while nothing reads it yet, so that nobody counts on it."""

UNREAD_FIELDS = frozenset(
    {"birth_year", "threshold_hr", "one_rep_max_kg", "ascent_m", "protein_g_2h", "carb_g_2h", "target_kg"}
)
UNCALLED_MODULES = frozenset({"shared.exercises"})
