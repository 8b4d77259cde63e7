"""What Schemathesis does before each call: it calls as one of many people, so that nobody's limit of rate is in the way, and
half of the ids that it makes up become ids of the demo, so that calls reach what is behind the search for an id."""
import json
import os
import random

import schemathesis

with open(os.environ["OBERA_KNOWN"], encoding="utf-8") as file:
    KNOWN = json.load(file)
TOKENS = KNOWN["tokens"]
# Ids that belong together, such as an incident's customer, run and approval.
PLACES = KNOWN["places"]
CHOICE = random.Random(1)
calls = 0


def known(names):
    """Mostly what belongs together, sometimes ids of two customers."""
    place = CHOICE.choice(PLACES)
    other = CHOICE.choice(PLACES) if CHOICE.random() < 0.2 else place
    return {name: (place if CHOICE.random() < 0.5 else other)[name] for name in names if name in place and name in other}


@schemathesis.hook
def before_call(context, case, kwargs):
    global calls
    if TOKENS:
        calls += 1
        if case.headers is None:
            case.headers = {}
        case.headers["authorization"] = f"Bearer {TOKENS[calls % len(TOKENS)]}"
    for values in (case.body, case.path_parameters):
        if isinstance(values, dict) and CHOICE.random() < 0.5:
            values.update(known(values))


@schemathesis.check
def within_the_limits(context, response, case):
    """An answer of the limits says nothing about the call: then more people have to take turns."""
    assert response.status_code != 429, "a limit of rate was in the way"
