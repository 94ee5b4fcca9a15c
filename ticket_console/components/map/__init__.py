"""Maps: local React components that hold what stands where."""
