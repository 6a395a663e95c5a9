"""Open to everybody: papers checked, blank forms, the components."""
