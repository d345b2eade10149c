"""Is a better than b? One contrast along any axis, and the difference of two.

contrast     `Contrast`: measured, tested, decided; `interaction`
parts        what it holds: what is compared, measured, estimated and decided
estimating   interval and p
needed       items or draws that would decide what is undecided
asked        which contrasts a study asks
best         the observed best against all others
matching     what of two sets of results belongs together
sets         one set of results against another, task by task and over all
planning     what the contrasts of a study will be able to find
"""
