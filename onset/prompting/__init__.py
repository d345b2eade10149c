"""Onset: prompting."""
