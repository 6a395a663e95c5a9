"""How papers are made and read: Typst, its presses and words in print, and the quarantine for strangers' files."""
