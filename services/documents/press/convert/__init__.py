"""Pages to PDF, pages of PDFs, and the bounds of a reader."""
