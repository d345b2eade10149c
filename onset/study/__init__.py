"""Onset: study."""
