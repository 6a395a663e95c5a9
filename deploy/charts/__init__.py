"""Helm charts of Diary, the tools that check them, and the step that packages them."""
