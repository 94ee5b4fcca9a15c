"""The ticket, its tokens and its events, and the pure engine that moves tokens along the flow."""
