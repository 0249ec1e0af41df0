"""What a run costs: how much each planned job does, what that took on a measured machine, and how fast this one is."""
