"""A generated region: schools with their people, as pure values of a seed."""
