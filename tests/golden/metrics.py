"""Writes metrics.json: what scikit-learn and SciPy say about random and degenerate predictions.

    pip install scikit-learn scipy && python tests/golden/metrics.py

A figure that the libraries leave undefined (NaN) is stored as 0.0, which is how camtl defines it.
"""

import json
import math
import pathlib
import warnings

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

SEED = 20210117


def classes(name, target, predicted):
    target, predicted = [int(x) for x in target], [int(x) for x in predicted]
    positive = ([int(x == 1) for x in target], [int(x == 1) for x in predicted])
    return {
        "name": name,
        "target": target,
        "predicted": predicted,
        "accuracy": accuracy_score(target, predicted),
        "f1": f1_score(*positive, pos_label=1, zero_division=0.0),
        "macro_f1": f1_score(target, predicted, average="macro", zero_division=0.0),
        "matthews": matthews_corrcoef(target, predicted),
    }


def values(name, target, predicted):
    target, predicted = [float(x) for x in target], [float(x) for x in predicted]
    defined = lambda x: 0.0 if math.isnan(x) else float(x)
    return {
        "name": name,
        "target": target,
        "predicted": predicted,
        "pearson": defined(stats.pearsonr(target, predicted).statistic),
        "spearman": defined(stats.spearmanr(target, predicted).statistic),
    }


def main():
    warnings.simplefilter("ignore")  # constant inputs warn, and are meant
    rng = np.random.default_rng(SEED)
    n = 200
    binary, three, noise = rng.integers(0, 2, n), rng.integers(0, 3, n), rng.random(n) < 0.3
    five = rng.normal(2.5, 1.0, n)
    ties = np.round(five)
    golden = {
        "seed": SEED,
        "versions": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__},
        "classes": [
            classes("independent", binary, rng.integers(0, 2, n)),
            classes("correlated", binary, np.where(noise, 1 - binary, binary)),
            classes("three classes", three, np.where(noise, rng.integers(0, 3, n), three)),
            classes("rare positives", rng.random(n) < 0.03, rng.random(n) < 0.05),
            classes("perfect", binary, binary),
            classes("all wrong", binary, 1 - binary),
            classes("one class predicted", binary, np.zeros(n)),
            classes("one class present", np.ones(20), rng.integers(0, 2, 20)),
            classes("no positives", np.zeros(5), np.zeros(5)),
            classes("a class never predicted", [0, 1, 2, 2], [0, 1, 1, 0]),
            classes("single example", [1], [0]),
        ],
        "values": [
            values("independent", five, rng.normal(0, 1, n)),
            values("correlated", five, five + rng.normal(0, 0.5, n)),
            values("negative", five, -3 * five + rng.normal(0, 0.5, n)),
            values("ties", ties, ties + rng.integers(0, 2, n)),
            values("ties on one side", ties, five),
            values("exact line", five, 2 * five + 1),
            values("monotone", five, np.exp(five)),
            values("large offset", five, 1e6 + five),
            values("constant prediction", five, np.full(n, 0.1)),
            values("constant target", np.full(n, 2.5), five),
            values("two examples", [1, 2], [5, 3]),
        ],
    }
    path = pathlib.Path(__file__).with_name("metrics.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
