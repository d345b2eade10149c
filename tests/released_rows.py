"""A few rows of published data sets in the schema in which the hub has them: to learn from, and to test on."""

from __future__ import annotations

from typing import Any

Rows = list[dict[str, Any]]


def _trivia(question: str, value: str, *aliases: str) -> dict[str, Any]:
    held = [value, *aliases]
    return {
        "question": question,
        "question_id": question[:4],
        "answer": {"value": value, "aliases": held, "normalized_aliases": [one.lower() for one in held]},
    }


def _commonsense(question: str, concept: str, key: str, *choices: str) -> dict[str, Any]:
    return {
        "id": concept,
        "question": question,
        "question_concept": concept,
        "choices": {"label": list("ABCDE"), "text": list(choices)},
        "answerKey": key,
    }


RELEASED: dict[str, tuple[Rows, Rows]] = {
    "triviaqa": (
        [
            _trivia("Which was the first European country to abolish capital punishment?", "Norway", "Kingdom of Norway"),
            _trivia("Who was the man behind The Chipmunks?", "David Seville"),
        ],
        [
            _trivia("Who won Super Bowl XX?", "Chicago Bears", "Chicago Staleys", "Decatur Staleys"),
            _trivia("Which city does David Soul come from?", "Chicago", "Chi-Town", "Chicago, Illinois"),
        ],
    ),
    "natural-questions": (
        [{"question": "where did they film hot tub time machine", "answer": ["Fernie Alpine Resort"]}],
        [
            {"question": "when was the last time anyone was on the moon", "answer": ["14 December 1972 UTC", "1972"]},
            {"question": "who got the first nobel prize in physics", "answer": ["Wilhelm Conrad Röntgen"]},
        ],
    ),
    "webquestions": (
        [{"url": "x", "question": "where was ancient carthage located?", "answers": ["Tunisia"]}],
        [
            {"url": "y", "question": "what does jamaican people speak?", "answers": ["Jamaican Creole", "English"]},
            {"url": "z", "question": "what did james k polk do before he was president?", "answers": ["Lawyer"]},
        ],
    ),
    "commonsenseqa": (
        [_commonsense("Where would you find a saw?", "saw", "A", "toolbox", "logger", "forest", "farm", "office")],
        [
            _commonsense("Where do people read quietly?", "reading", "C", "club", "street", "library", "pool", "bus"),
            _commonsense("What do people aim to do at work?", "work", "E", "cry", "sing", "run", "sleep", "finish"),
        ],
    ),
    "strategyqa": (
        [
            {
                "qid": "1",
                "question": "Are more people today related to Genghis Khan than Julius Caesar?",
                "answer": True,
                "facts": ["Julius Caesar had three children.", "Genghis Khan had sixteen children."],
            }
        ],
        [
            {"qid": "2", "question": "Could a llama birth twice during a war of 45 minutes?", "answer": False,
             "facts": "The gestation period of a llama is eleven months."},
            {"qid": "3", "question": "Do hamsters provide food for any animals?", "answer": True, "facts": []},
        ],
    ),
    "creak": (
        [
            {"ex_id": "t1", "sentence": "Lauryn Hill separates two valleys as it is located between them.",
             "explanation": "Lauren Hill is actually a person and not a mountain.", "label": "false"}
        ],
        [
            {"ex_id": "d1", "sentence": "Eating soup means eating only solids.", "explanation": "Soup is liquid.",
             "label": "false"},
            {"ex_id": "d2", "sentence": "A violin has strings.", "explanation": "It is a string instrument.",
             "label": "true"},
        ],
    ),
    "csqa2": (
        [{"id": "1", "question": "a pupil can be either a student or part of an eye?", "answer": "yes", "confidence": 1}],
        [
            {"id": "2", "question": "Cotton candy is sometimes made out of cotton.", "answer": "no", "confidence": 0.9},
            {"id": "3", "question": "A tree may have a hole in it?", "answer": "yes", "confidence": 0.8},
        ],
    ),
    "com2sense": (
        [{"id": "a", "sent": "It takes longer to fill a bath than a cup.", "label": "True", "domain": "time",
          "scenario": "comparison", "numeracy": "False"}],
        [
            {"id": "b", "sent": "If it rains, people wear sun hats to stay dry.", "label": "False", "domain": "physical",
             "scenario": "causal", "numeracy": "False"},
            {"id": "c", "sent": "Ten guests need more plates than five guests do.", "label": "True",
             "domain": "social", "scenario": "comparison", "numeracy": "True"},
        ],
    ),
}  # fmt: skip
