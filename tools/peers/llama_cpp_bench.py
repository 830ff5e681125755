"""One round of bench.py with llama.cpp, by llama-cpp-python's low-level interface: what llama-bench does."""

import ctypes
import sys

import _worker
import llama_cpp.llama_cpp as api

BATCH = 2048  # llama-bench's sizes.
MICRO_BATCH = 512


def check(good, what):
    if not good:
        sys.exit(f"llama.cpp: {what} failed")


class Llama:
    def __init__(self, options):
        api.llama_backend_init()
        parameters = api.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = bool(options.repack)
        self.threads = options.threads
        self.model = api.llama_model_load_from_file(options.model.encode(), parameters)
        check(self.model, f"loading {options.model}")
        self.vocabulary = api.llama_vocab_n_tokens(api.llama_model_get_vocab(self.model))

    def open(self, tokens):
        parameters = api.llama_context_default_params()
        parameters.n_ctx = tokens
        parameters.n_batch, parameters.n_ubatch = BATCH, MICRO_BATCH
        parameters.n_threads = parameters.n_threads_batch = self.threads
        self.context = api.llama_init_from_model(self.model, parameters)
        check(self.context, "making a context")

    def close(self):
        api.llama_free(self.context)

    def clear(self):
        api.llama_memory_clear(api.llama_get_memory(self.context), False)

    def feed(self, tokens, step):
        for start in range(0, len(tokens), step):
            part = tokens[start : start + step]
            array = (ctypes.c_int32 * len(part))(*part)
            check(api.llama_decode(self.context, api.llama_batch_get_one(array, len(part))) == 0, "llama_decode")
        api.llama_synchronize(self.context)

    def time(self, prompt, generated, depth):
        self.open(prompt + generated + depth)
        tokens = _worker.random_tokens(prompt + generated + depth, self.vocabulary)
        new = tokens[depth:]
        self.feed(new[:BATCH] if prompt else new[:1], BATCH)  # The first pass brings weights into memory.
        self.clear()
        self.feed(tokens[:depth], BATCH)
        elapsed = _worker.seconds(lambda: self.feed(new, BATCH if prompt else 1))
        self.close()
        return elapsed


def main():
    options = _worker.parse(__doc__, with_repack=True)
    llama = Llama(options)
    _worker.print_results({test: llama.time(*test) for test in options.tests})


main()
