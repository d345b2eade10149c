"""What is trained on: one file each, one line in `onset.tuning.MATERIALS`."""
