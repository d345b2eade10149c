"""The report draws; it computes nothing.

html.py      report.html: one offline file, and the figures as PNG and SVG
figures.py   what `onset show --json` holds -> Altair charts
items.py     the records, packed for the page
facts.py     cell.json files -> the facts of the study
terminal.py  tables for `onset show`, `plan`, `list`, `grade`
templates/   the page: report.html.j2, report.css, report.js
"""
