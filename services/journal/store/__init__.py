"""Every SQL statement of the journal. Functions run in `db.school` and leave transactions to their callers."""
