"""Onset: tuning."""
