"""The facts: schools, people, students, guardianships, declarations for paper."""
