"""Parts, warehouses, the append-only stock ledger, reservations, transfers, standard quantities."""
