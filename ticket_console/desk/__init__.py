"""The commands: open, act, return, reassign, cancel. The only room where the business rooms meet."""
