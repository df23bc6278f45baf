"""When each session happens: checking a calendar, placing a week, the run after a lift, export."""
