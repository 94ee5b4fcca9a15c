"""The closed vocabularies of the worker's schedules and tasks."""

from enum import StrEnum


class ScheduleKind(StrEnum):
    """What is done once in every local day of a zone."""

    DAILY_INCOME = "daily_income"
    TECHNICIAN_LISTS = "technician_lists"
    TIER_REVIEW = "tier_review"


class RunState(StrEnum):
    """`failed` is tried again when its lease is over; `running` likewise, when its worker has died."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TaskKind(StrEnum):
    """Long work that somebody asked for."""

    PERIOD_FILES = "period_files"
    SHADOW_RUN = "shadow_run"


class TaskState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
