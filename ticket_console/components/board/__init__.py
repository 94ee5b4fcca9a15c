"""The live board: a local React component that holds the cards and is fed snapshots and patches."""
