"""Clients of Diary that live in this repository; they speak to the gateway only."""
