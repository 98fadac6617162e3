"""From a profile to predictions for every action."""
