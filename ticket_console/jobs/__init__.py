"""The worker for timers, outbox and statements: a thread of the web process or a process of its own."""
