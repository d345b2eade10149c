"""A calculator over texts that are there: worked examples, and texts that need none."""

from __future__ import annotations

from fractions import Fraction

import pytest

from onset.chains import worked
from onset.chains.calculator import written


@pytest.mark.parametrize(
    ("text", "new", "replaced"),
    [
        (
            "Ray has 5 * 3 = 16 keys. With 2 more he has 16 + 2 = 18. The answer is 18.",
            "Ray has 5 * 3 = 15 keys. With 2 more he has 15 + 2 = 17. The answer is 17.",
            2,
        ),
        ("Pam has 17 - 7 = 10. The answer is 10.", "Pam has 17 - 7 = 10. The answer is 10.", 0),
        # what follows a wrong number rightly is wrong once that is put right
        ("5 * 3 = 16. 16 + 2 = 18. 18 * 2 = 36. The answer is 36.", "5 * 3 = 15. 15 + 2 = 17. 17 * 2 = 34. The answer is 34.", 3),
        # a number that is not found again stays
        ("5 * 3 = 16. The answer is 12.", "5 * 3 = 15. The answer is 12.", 1),
        # up to the digits shown it is right
        ("10 / 3 = 3.33. The answer is 3.33.", "10 / 3 = 3.33. The answer is 3.33.", 0),
        ("10 / 4 = 2. The answer is 2.", "10 / 4 = 2.5. The answer is 2.5.", 1),
        ("10 / 3 = 4. The answer is 4.", "10 / 3 = 3.33. The answer is 3.33.", 1),
        # found again rightly, it is put in no longer
        ("2 + 2 = 5. 1 + 4 = 5. The answer is 5.", "2 + 2 = 4. 1 + 4 = 5. The answer is 5.", 1),
        # results go on through a run of equations
        ("3 * 4 = 13 - 2 = 11. The answer is 11.", "3 * 4 = 12 - 2 = 10. The answer is 10.", 2),
        ("It is $1,000 * 3 = $4,000. The answer is $4,000.", "It is $1,000 * 3 = $3000. The answer is $3000.", 1),
        (r"\( 3 \times 4 = 13 \). The answer is \boxed{13}.", r"\( 3 \times 4 = 12 \). The answer is \boxed{12}.", 1),
        ("2x = 7, 1 hour + 30 minutes = 80 minutes, 5 / 0 = 1.", "2x = 7, 1 hour + 30 minutes = 80 minutes, 5 / 0 = 1.", 0),
        ("3 - 5 = 2. The answer is 2.", "3 - 5 = -2. The answer is -2.", 1),
        ("", "", 0),
    ],
)  # fmt: skip
def test_sums_are_worked_out_and_put_into_what_follows(text: str, new: str, replaced: int) -> None:
    done = worked(text)
    assert (done.text, done.replaced) == (new, replaced)
    assert worked(done.text).replaced == 0


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (Fraction(12), 0, "12"),
        (Fraction(-5, 2), 0, "-2.5"),
        (Fraction(1, 3), 0, "0.33"),
        (Fraction(2, 3), 4, "0.6667"),
        (Fraction(-1, 300), 0, "0.00"),
        (Fraction(1, 8), 0, "0.125"),
    ],
)
def test_results_are_written_in_few_digits(value: Fraction, decimals: int, text: str) -> None:
    assert written(value, decimals) == text
