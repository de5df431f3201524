#!/usr/bin/env python3
"""Golden tokens and hidden states of PyTorch transformers' RoBERTa: a vocabulary of a few merges, a small random network.

    pip install torch transformers tokenizers safetensors
    python tests/golden/roberta.py tests/golden/roberta

Writes vocab.json, merges.txt and tokenizer.json (the same rules); tokens.json: texts and pairs with their ids, whole and
cut to 12 tokens; config.json and model.safetensors with the names of a masked language model; and golden.safetensors as
bert.py does: word_ids.i, hidden.i.k, pooled.i, probe.i, and the gradient of sum(pooled * probe) for some weights.
Tolerance: 1e-5 of a tensor's largest value.
"""
import json, pathlib, sys

import torch
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

VOCAB = 300
SIZES = dict(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
             max_position_embeddings=26, type_vocab_size=1)
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
CORPUS = ["the cat sat on the mat", "the film was good and the book was bad", "it's not the theme that they thought of",
          "a bank of the river, the bank that lent it"] * 8
TEXTS = ["", "the cat", " the cat", "The cat's hat.", "it isn't  two  spaces", "tab\tand\nline", "caf\u00e9 \u732b \U0001f600",
         "1234 5,678.9", "the film was good and the book was bad and the mat", "trailing ", "a\u00a0b"]
PAIRS = [("the cat", "sat on"), ("", "the"), ("the film was good and the book was bad", "it's not"), ("a", " b"),
         ("they thought of the theme", "the bank that lent it, the river")]
GRADIENTS = ["embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight",
             "embeddings.token_type_embeddings.weight", "encoder.layer.0.attention.self.query.weight",
             "encoder.layer.1.output.LayerNorm.weight", "pooler.dense.weight"]


def tokens(folder):
    rules = ByteLevelBPETokenizer()
    rules.train_from_iterator(CORPUS, vocab_size=VOCAB, min_frequency=2, special_tokens=SPECIAL)
    rules.save_model(str(folder))
    tokenizer = RobertaTokenizerFast.from_pretrained(folder)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    cut = dict(max_length=12, truncation="longest_first")
    rows = [{"a": a, "b": b, "ids": tokenizer(a, b).input_ids, "cut": tokenizer(a, b, **cut).input_ids}
            for a, b in [(text, None) for text in TEXTS] + PAIRS]
    (folder / "tokens.json").write_text(json.dumps(rows) + "\n")


def network(folder):
    torch.manual_seed(12)
    config = RobertaConfig(attn_implementation="eager", layer_norm_eps=1e-5, **SIZES)
    model = RobertaModel(config).eval()
    with torch.no_grad():  # weights large enough that every part matters
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * 0.15)
        for name, p in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                p.add_(1.0)
            if name.endswith("word_embeddings.weight"):
                p.mul_(0.01)  # a variance so small that epsilon is seen
            if name.endswith("position_embeddings.weight") or name.endswith("token_type_embeddings.weight"):
                p.mul_(0.01)

    golden, loss = {}, 0.0
    for i, length in enumerate([7, 24]):
        ids = torch.randint(5, VOCAB, (1, length))
        out = model(input_ids=ids, output_hidden_states=True)
        probe = torch.randn_like(out.pooler_output)
        loss = loss + (out.pooler_output * probe).sum()
        golden[f"word_ids.{i}"] = ids[0].int()
        golden[f"probe.{i}"], golden[f"pooled.{i}"] = probe[0], out.pooler_output[0]
        for k, h in enumerate(out.hidden_states):
            golden[f"hidden.{i}.{k}"] = h[0]
    loss.backward()
    named = dict(model.named_parameters())
    for name in GRADIENTS:
        golden[f"gradient.{name}"] = named[name].grad

    weights = {f"roberta.{k}": v for k, v in model.state_dict().items()}
    weights["lm_head.bias"] = torch.zeros(VOCAB)
    save_file({k: v.detach().contiguous() for k, v in weights.items()}, folder / "model.safetensors")
    save_file({k: v.detach().contiguous() for k, v in golden.items()}, folder / "golden.safetensors")
    fields = dict(SIZES, model_type="roberta", hidden_act="gelu", layer_norm_eps=config.layer_norm_eps,
                  pad_token_id=config.pad_token_id, position_embedding_type="absolute")
    (folder / "config.json").write_text(json.dumps(fields, indent=2) + "\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tokens(folder)
    network(folder)


if __name__ == "__main__":
    main()
