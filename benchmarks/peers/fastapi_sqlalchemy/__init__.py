"""The diary week as a FastAPI team would build it."""
