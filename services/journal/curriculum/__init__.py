"""When lessons are: periods of the year and the work types that a school begins with."""
