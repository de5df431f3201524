#!/usr/bin/env python3
"""What most people would use instead: BERT from `transformers` on PyTorch, on this machine's cores.

Measures one thing in a process of its own and prints it as a line of JSON; `versus_torch.py` runs it.

    peer_torch.py baseline                             # memory of the libraries alone
    peer_torch.py step  [--size bert_base] [--bf16]    # a training step, 32 x 128 tokens
    peer_torch.py score                                # scoring of 8 x 32 candidates of 128 tokens
    peer_torch.py real --lengths FILE [--sorted]       # the steps that our side has dumped: scoring and training

The network is BERT with one linear head and random weights: time does not depend on the values. It has none of the
modules that ours has attached, so it does a little less.
"""

import argparse
import json
import resource
import time

import torch
from transformers import BertConfig, BertModel

LAYERS_HIDDEN_HEADS_FFN = {"minilm": (6, 384, 12, 1536), "bert_base": (12, 768, 12, 3072)}
BATCH, SEQUENCE, CANDIDATES = 32, 128, 8 * 32
CHUNK = 32  # sequences scored at once: faster than more
WARM_UP = 2  # repeats that do not count


class Peer:
    def __init__(self, options):
        layers, hidden, heads, ffn = LAYERS_HIDDEN_HEADS_FFN[options.size]
        config = BertConfig(
            vocab_size=30522,
            num_hidden_layers=layers,
            hidden_size=hidden,
            num_attention_heads=heads,
            intermediate_size=ffn,
            attn_implementation=options.attention,
        )
        self.bert = BertModel(config)
        self.head = torch.nn.Linear(hidden, 3)
        parameters = [*self.bert.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.AdamW(parameters, lr=2e-5, fused=True)
        self.precision = torch.autocast("cpu", torch.bfloat16, enabled=options.bf16)

    def logits(self, lengths):
        """Random tokens of these lengths, padded to the longest."""
        width = max(lengths)
        ids = torch.randint(1000, 30000, (len(lengths), width))
        mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
        with self.precision:
            return self.head(self.bert(input_ids=ids, attention_mask=mask).pooler_output)

    def train(self, lengths):
        self.bert.train()
        labels = torch.randint(0, 3, (len(lengths),))
        loss = torch.nn.functional.cross_entropy(self.logits(lengths).float(), labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    @torch.no_grad()
    def score(self, lengths):
        self.bert.eval()
        for first in range(0, len(lengths), CHUNK):
            logits = self.logits(lengths[first : first + CHUNK])
            torch.distributions.Categorical(logits=logits.float()).entropy()


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    baseline = peak_mib()
    if options.what == "baseline":
        return say({"peak_mib": baseline})

    peer = Peer(options)
    if options.what == "real":
        with open(options.lengths) as file:
            steps = [json.loads(line) for line in file]

        def once(number):
            candidates = steps[number]["candidates"]
            peer.score(sorted(candidates, reverse=True) if options.sorted else candidates)
            peer.train(steps[number]["picks"])

        repeats, samples = len(steps), len(steps[0]["picks"])
    elif options.what == "score":
        once = lambda _: peer.score([SEQUENCE] * CANDIDATES)
        repeats, samples = WARM_UP + options.repeats, CANDIDATES
    else:
        once = lambda _: peer.train([SEQUENCE] * BATCH)
        repeats, samples = WARM_UP + options.repeats, BATCH

    times = []
    for number in range(repeats):
        began = time.perf_counter()
        once(number)
        times.append(time.perf_counter() - began)
    say(
        {
            "times": times[WARM_UP:],
            "samples": samples,
            "threads": options.threads,
            "peak_mib": peak_mib(),
            "baseline_mib": baseline,
            "torch": torch.__version__,
        }
    )


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def say(figures):
    print(json.dumps(figures))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["baseline", "step", "score", "real"])
    parser.add_argument("--size", choices=LAYERS_HIDDEN_HEADS_FFN, default="minilm")
    parser.add_argument("--attention", choices=["eager", "sdpa"], default="eager")
    parser.add_argument("--bf16", action="store_true", help="autocast")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--lengths", help="real: token counts, a JSON object with candidates and picks a line")
    parser.add_argument("--sorted", action="store_true", help="real: chunks of candidates of like length")
    return parser.parse_args()


if __name__ == "__main__":
    main()
