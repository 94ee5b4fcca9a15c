"""What the work is worth: rules, rating, the double-entry ledger, periods, statements and exports."""
