"""The screens on which settlement rules are looked up, written and combined, as components."""
