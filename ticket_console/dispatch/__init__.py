"""Who may take a task and who should: eligibility, scoring, assignment and claim."""
