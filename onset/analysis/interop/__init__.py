"""Read other people's results, and write ours in their formats."""
