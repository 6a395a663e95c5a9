"""Words as they are printed, and how much room they take."""
