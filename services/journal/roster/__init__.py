"""What the journal keeps of access's roster: students, classes, courses, members, relations."""
