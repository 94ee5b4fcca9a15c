"""Who is told what and how: notification rules, the outbox and one module per channel."""
