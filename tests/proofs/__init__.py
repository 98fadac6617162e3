"""What must hold of the core in any world: each proof counts, and says what it found. `make prove` runs them whole."""
