"""What every room stands on: settings, clock, money, ids, errors, actor, database, change feed."""
