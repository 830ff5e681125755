"""One round of bench.py with transformers: the folder in the type it is stored in, with transformers' own attention."""

import _worker
import torch
import transformers

CHUNK = 512  # Tokens of one forward while the cache is filled; what is timed goes in one.


def feed(model, tokens, cache, step):
    for part in tokens.split(step, dim=1):
        model(part, past_key_values=cache, use_cache=True, logits_to_keep=1)


def time(model, prompt, generated, depth):
    tokens = torch.tensor([_worker.random_tokens(prompt + generated + depth, model.config.vocab_size)])
    new = tokens[:, depth:]
    feed(model, new[:, : prompt or 1], transformers.DynamicCache(), max(prompt, 1))
    cache = transformers.DynamicCache()
    if depth:
        feed(model, tokens[:, :depth], cache, CHUNK)
    return _worker.seconds(lambda: feed(model, new, cache, prompt or 1))


def main():
    options = _worker.parse(__doc__)
    torch.set_num_threads(options.threads)
    model = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype="auto").eval()
    with torch.inference_mode():
        _worker.print_results({test: time(model, *test) for test in options.tests})


main()
