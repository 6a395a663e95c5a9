"""What every service of Diary stands on. Of schools it knows only `school_id`."""
