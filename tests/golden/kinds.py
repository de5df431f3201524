"""Writes kinds.json: entity F1 as seqeval counts it, and the figures of SQuAD and MultiRC as their official evaluation
scripts give them.

    pip install seqeval scikit-learn && python tests/golden/kinds.py OFFICIAL

OFFICIAL is a folder with two files that are no part of this project: `evaluate-v1.1.py`, the evaluation of SQuAD v1.1 as
Rajpurkar et al. published it (https://rajpurkar.github.io/SQuAD-explorer; the file is found beside BERT and DrQA too),
whose figures are percentages, and `multirc_measures.py`, that of MultiRC by Khashabi et al.
(https://github.com/CogComp/multirc, there also called `eval/measures.py`).

MultiRC has two published evaluations. The authors' is the one here. It agrees with SuperGLUE's, which is scikit-learn's
f1_score, wherever there is something to find or something is predicted: that is asserted for each case. Where both are
missing, F1a is 1 by the authors' script (precision of no predictions and recall of no right answers are 1) and 0 by
SuperGLUE's. Where precision and recall are both 0 the authors' script divides by zero; here F1a is 0, as scikit-learn
has it.
"""

import functools
import importlib.util
import json
import pathlib
import random
import sys
import warnings

import numpy as np
import seqeval
import sklearn.metrics
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


# ---- the official scripts

def official(folder, file):
    spec = importlib.util.spec_from_file_location("official", pathlib.Path(folder) / file)
    module = importlib.util.module_from_spec(spec)
    module.reduce = functools.reduce  # MultiRC's is of the time when that was built in
    spec.loader.exec_module(module)
    return module


# ---- SQuAD v1.1

def squad(script, name, questions):
    qas = [{"id": str(i), "answers": [{"text": text} for text in accepted]} for i, (accepted, _) in enumerate(questions)]
    predictions = {str(i): predicted for i, (_, predicted) in enumerate(questions)}
    said = script.evaluate([{"paragraphs": [{"qas": qas}]}], predictions)
    return {"name": name, "questions": questions, "exact_match": said["exact_match"] / 100, "f1": said["f1"] / 100}


TEXTS = [
    "", " ", "the", "The A an", "theory", "an-the", "Denver Broncos", "the Denver  Broncos.", "\u201cDenver\u201d", "U.S.",
    "10%", "$1,000", "caf\u00e9", "CAF\u00c9", "\u0130stanbul", "a\u00a0b", "a\tb\nc", "the\u20ac5", "\u00a35 the pound",
    "x\u2014the\u2014y", "a/b", "a_b", "\u03a3\u03a3", "\u732b the \u72ac", "one two two", "two two one", "\u2019s a day",
    "an\u2019 the", "a.m.", "A\x1cthe\x1db", "\u1e9e", "the a b", "5 a", "\ufb01ne The",
]


def answers(script, rng):
    vocabulary = ["the", "a", "cat", "Cat,", "sat", "on", "mat.", "an", "(old)", "dog"]
    words = lambda: " ".join(rng.choice(vocabulary) for _ in range(rng.randrange(0, 6)))
    some = [[[words() for _ in range(rng.randrange(1, 4))], words()] for _ in range(200)]
    return [
        squad(script, "random", some),
        squad(script, "texts against texts", [[[one], other] for one in TEXTS for other in TEXTS]),
        squad(script, "perfect", [[[one], one] for one in TEXTS]),
        squad(script, "nothing predicted", [[accepted, ""] for accepted, _ in some]),
        squad(script, "one word of many", [[["a b c d e f g the h"], "c"], [["c"], "a b c d e f g the h"]]),
        squad(script, "articles and signs alone", [[["the"], "a"], [["..."], "the"], [["x"], "?"], [["?"], ""]]),
        squad(script, "several answers", [[["x", "the cat sat", "cat"], "The Cat"]]),
        squad(script, "repeated words", [[["two two one"], "two one one"], [["two"], "two two two"]]),
    ]


# ---- MultiRC

def multirc(script, name, rows):
    rows = [[int(x) for x in row] for row in rows]
    questions = {}
    for question, target, guess in rows:
        questions.setdefault(question, []).append((target, guess))
    answers = lambda judged: {"answers": [{"isAnswer": target} for target, _ in judged]}
    data = [{"id": "p", "paragraph": {"questions": [answers(judged) for judged in questions.values()]}}]
    guesses = {f"p=={i}": [guess for _, guess in judged] for i, judged in enumerate(questions.values())}
    try:
        _, _, f1a = script.per_dataset_metric(data, guesses)
    except ZeroDivisionError:
        f1a = 0.0
    _, target, guess = zip(*rows)
    if any(target) or any(guess):
        assert abs(f1a - sklearn.metrics.f1_score(target, guess, zero_division=0.0)) < 1e-12, name
    return {"name": name, "answers": rows, "f1a": f1a, "exact_match": script.exact_match_metrics(data, guesses, 0)}


def judgements(script, rng):
    n = 300
    question, target = rng.integers(0, 60, n), rng.integers(0, 2, n)
    flipped = np.where(rng.random(n) < 0.15, 1 - target, target)
    zeros, ones = np.zeros(n), np.ones(n)
    return [
        multirc(script, "independent", np.stack([question, target, rng.integers(0, 2, n)], 1)),
        multirc(script, "mostly right", np.stack([question, target, flipped], 1)),
        multirc(script, "perfect", np.stack([question, target, target], 1)),
        multirc(script, "all wrong", np.stack([question, target, 1 - target], 1)),
        multirc(script, "nothing predicted", np.stack([question, target, zeros], 1)),
        multirc(script, "everything predicted", np.stack([question, target, ones], 1)),
        multirc(script, "nothing to find", np.stack([question, zeros, flipped], 1)),
        multirc(script, "nothing to find and nothing predicted", np.stack([question, zeros, zeros], 1)),
        multirc(script, "single answer", [[4, 1, 0]]),
        multirc(script, "a question without a right answer", [[4, 0, 0], [4, 0, 0], [5, 1, 1]]),
        multirc(script, "wrongly found", [[4, 0, 1], [5, 0, 0]]),
        multirc(script, "questions in disorder", [[9, 1, 1], [2, 0, 1], [9, 0, 0], [2, 1, 1]]),
    ]


def main():
    warnings.simplefilter("ignore")  # nothing to find warns, and is meant
    of_squad, of_multirc = (official(sys.argv[1], file) for file in ["evaluate-v1.1.py", "multirc_measures.py"])
    rng = np.random.default_rng(SEED)
    golden = {
        "seed": SEED,
        "versions": {"seqeval": getattr(seqeval, "__version__", "1.2.2"), "squad": "1.1"},
        "labels": LABELS,
        "entity": entities(rng),
        "normalized": [[text, of_squad.normalize_answer(text)] for text in TEXTS],
        "squad": answers(of_squad, random.Random(SEED)),
        "multirc": judgements(of_multirc.Measures, rng),
    }
    path = pathlib.Path(__file__).with_name("kinds.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
