"""Files of requests: read, mapped by column, looked at first, then received row by row."""

from ticket_console.intake.importing.columns import Target, check_mapping, suggest_mapping, targets
from ticket_console.intake.importing.report import report_csv
from ticket_console.intake.importing.running import ImportReport, Preview, StopImport, preview, run_import
from ticket_console.kernel.sheets import MOST_BYTES, BrokenFile, FileTooLarge, Sheet, read_sheet

__all__ = [
    "MOST_BYTES",
    "BrokenFile",
    "FileTooLarge",
    "ImportReport",
    "Preview",
    "Sheet",
    "StopImport",
    "Target",
    "check_mapping",
    "preview",
    "read_sheet",
    "report_csv",
    "run_import",
    "suggest_mapping",
    "targets",
]
