"""Business calendars, service-level policies, clocks, timers and escalation paths."""
