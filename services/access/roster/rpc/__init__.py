"""RosterService and RosterImportService."""
