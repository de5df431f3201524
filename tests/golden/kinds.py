"""Writes kinds.json: entity F1 as seqeval counts it, and the figures of SQuAD and MultiRC by their definitions.

    pip install seqeval scikit-learn && python tests/golden/kinds.py

SQuAD (v1.1) and MultiRC are written out here from their papers and the documented behaviour of their evaluations; a
division by zero in MultiRC's F1a is 0.
"""

import json
import pathlib
import random
import re
import string
import warnings
from collections import Counter
from fractions import Fraction

import numpy as np
import seqeval
from seqeval.metrics import f1_score, precision_score, recall_score

SEED = 20210118
TYPES = ["person", "creative-work", "group"]
LABELS = ["O"] + [f"{mark}-{of}" for of in TYPES for mark in "BIES"]


# ---- entities

def entity(name, target, predicted):
    words = lambda sentences: [[LABELS[tag] for tag in tags] for tags in sentences]
    pair = (words(target), words(predicted))
    return {
        "name": name,
        "target": target,
        "predicted": predicted,
        "precision": float(precision_score(*pair, zero_division=0)),
        "recall": float(recall_score(*pair, zero_division=0)),
        "f1": float(f1_score(*pair, zero_division=0)),
    }


def entities(rng):
    lengths = rng.integers(1, 15, 40)
    any_tag = lambda: [[int(t) for t in rng.integers(0, len(LABELS), n)] for n in lengths]
    iob = [i for i, label in enumerate(LABELS) if label[0] in "OBI"]
    of_iob = lambda: [[iob[int(t)] for t in rng.integers(0, len(iob), n)] for n in lengths]
    noise = lambda tags: [[t if rng.random() > 0.2 else iob[int(rng.integers(0, len(iob)))] for t in s] for s in tags]
    legal = []
    for n in lengths:
        tags = []
        while len(tags) < n:
            of, long = int(rng.integers(0, len(TYPES))), int(rng.integers(0, 4))
            tags += [0] if rng.random() < 0.5 else [1 + 4 * of] + [2 + 4 * of] * long
        legal.append(tags[:n])
    outside = [[0] * len(s) for s in legal]
    one = lambda *labels: [[LABELS.index(label) for label in labels]]
    return [
        entity("any tags", any_tag(), any_tag()),
        entity("any IOB tags", of_iob(), of_iob()),
        entity("noise", legal, noise(legal)),
        entity("perfect", legal, legal),
        entity("nothing predicted", legal, outside),
        entity("nothing to find", outside, legal),
        entity("no entities", outside, outside),
        entity("inside without a beginning", one("B-group", "I-group"), one("I-group", "I-group")),
        entity("another type inside", one("B-group", "I-group"), one("B-group", "I-person")),
        entity("too long", one("B-group", "O", "O"), one("B-group", "I-group", "O")),
        entity("at the end of a sentence", one("O", "B-group") + one("I-group"), one("O", "B-group") + one("I-group")),
        entity("an empty sentence", [[]] + legal, [[]] + noise(legal)),
    ]


# ---- SQuAD v1.1

def normalized(text):
    kept = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", kept).split())


def best(figure, accepted, predicted):
    return max((figure(normalized(one), normalized(predicted)) for one in accepted), default=Fraction(0))


def exact(one, other):
    return Fraction(one == other)


def words_f1(one, other):
    one, other = Counter(one.split()), Counter(other.split())
    shared = sum((one & other).values())
    if shared == 0:
        return Fraction(0)
    precision, recall = Fraction(shared, other.total()), Fraction(shared, one.total())
    return 2 * precision * recall / (precision + recall)


def squad(name, questions):
    mean = lambda figure: float(sum(best(figure, *question) for question in questions) / len(questions))
    return {"name": name, "questions": questions, "exact_match": mean(exact), "f1": mean(words_f1)}


TEXTS = [
    "", " ", "the", "The A an", "theory", "an-the", "Denver Broncos", "the Denver  Broncos.", "\u201cDenver\u201d", "U.S.",
    "10%", "$1,000", "caf\u00e9", "CAF\u00c9", "\u0130stanbul", "a\u00a0b", "a\tb\nc", "the\u20ac5", "\u00a35 the pound",
    "x\u2014the\u2014y", "a/b", "a_b", "\u03a3\u03a3", "\u732b the \u72ac", "one two two", "two two one", "\u2019s a day",
    "an\u2019 the", "a.m.", "A\x1cthe\x1db", "\u1e9e", "the a b", "5 a", "\ufb01ne The",
]


def answers(rng):
    vocabulary = ["the", "a", "cat", "Cat,", "sat", "on", "mat.", "an", "(old)", "dog"]
    words = lambda: " ".join(rng.choice(vocabulary) for _ in range(rng.randrange(0, 6)))
    some = [[[words() for _ in range(rng.randrange(1, 4))], words()] for _ in range(200)]
    return [
        squad("random", some),
        squad("texts against texts", [[[one], other] for one in TEXTS for other in TEXTS]),
        squad("perfect", [[[one], one] for one in TEXTS]),
        squad("nothing predicted", [[accepted, ""] for accepted, _ in some]),
        squad("several answers", [[["x", "the cat sat", "cat"], "The Cat"]]),
        squad("repeated words", [[["two two one"], "two one one"], [["two"], "two two two"]]),
    ]


# ---- MultiRC

def multirc(name, rows):
    rows = [[int(x) for x in row] for row in rows]
    right = sum(t * p for _, t, p in rows)
    predicted, wanted = sum(p for *_, p in rows), sum(t for _, t, _ in rows)
    precision = Fraction(right, predicted) if predicted else Fraction(1)
    recall = Fraction(right, wanted) if wanted else Fraction(1)
    f1a = 2 * precision * recall / (precision + recall) if precision + recall else Fraction(0)
    questions = {}
    for question, target, guess in rows:
        questions.setdefault(question, []).append(target == guess)
    matches = sum(all(judged) for judged in questions.values())
    return {"name": name, "answers": rows, "f1a": float(f1a), "exact_match": matches / len(questions)}


def judgements(rng):
    n = 300
    question, target = rng.integers(0, 60, n), rng.integers(0, 2, n)
    flipped = np.where(rng.random(n) < 0.15, 1 - target, target)
    zeros, ones = np.zeros(n), np.ones(n)
    return [
        multirc("independent", np.stack([question, target, rng.integers(0, 2, n)], 1)),
        multirc("mostly right", np.stack([question, target, flipped], 1)),
        multirc("perfect", np.stack([question, target, target], 1)),
        multirc("all wrong", np.stack([question, target, 1 - target], 1)),
        multirc("nothing predicted", np.stack([question, target, zeros], 1)),
        multirc("everything predicted", np.stack([question, target, ones], 1)),
        multirc("nothing to find", np.stack([question, zeros, flipped], 1)),
        multirc("nothing to find and nothing predicted", np.stack([question, zeros, zeros], 1)),
        multirc("single answer", [[4, 1, 0]]),
    ]


def main():
    warnings.simplefilter("ignore")  # nothing to find warns, and is meant
    rng = np.random.default_rng(SEED)
    golden = {
        "seed": SEED,
        "versions": {"seqeval": getattr(seqeval, "__version__", "1.2.2")},
        "labels": LABELS,
        "entity": entities(rng),
        "normalized": [[text, normalized(text)] for text in TEXTS],
        "squad": answers(random.Random(SEED)),
        "multirc": judgements(rng),
    }
    path = pathlib.Path(__file__).with_name("kinds.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
