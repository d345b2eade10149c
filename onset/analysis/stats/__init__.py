"""Arrays in, numbers out: tests, intervals, power. No word of the domain."""
