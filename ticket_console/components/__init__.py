"""Building blocks that several screens share. They take Vars and handlers and know no State."""
