"""Stages of training: what changes a model before methods are compared. One file a kind, one line in the table
(`onset.tuning.STAGES`).
"""
