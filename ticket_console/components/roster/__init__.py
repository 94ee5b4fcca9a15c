"""The roster's grid: people by the days of a week."""
