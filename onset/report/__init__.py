"""The report draws; it computes nothing.

html.py      report.html: one offline file, and the figures as PNG and SVG
figures/     what `onset show --json` holds -> Vega-Lite charts, one file a figure
layout.py    figures in the page: choices and the one legend; bars.py: small pictures in the text
head.py      the page's head in words; findings.py, places.py: its findings, and what the sizes said of a method mean
items.py     the records, packed for the page
facts.py     cell.json files -> the facts of the study
terminal.py  `onset show`; plans.py, lists.py, comparison.py, emergence.py: the other commands
tables.py    what these tables share; words.py, notes.py: the words that terminal and page share
templates/   the page: report.html.j2, report.css, and the parts of its script
"""
