"""People by hours: the plan as a calendar in which tasks are put, moved and stretched."""
