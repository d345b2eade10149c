"""The parts of `benchmarks/engine.py`: workloads, contenders in processes of their own, floors and tables.

``worker_*.py`` run in the interpreter of one contender and import nothing of the others.
"""
