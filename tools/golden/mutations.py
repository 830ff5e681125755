"""Wrong readings of a model that many mutations are made of."""

import fnmatch

import numpy as np


def changed_config(**changes):
    return lambda model: model.config.update(changes)


def changed_rope(**changes):
    return lambda model: model.config["rope"].update(changes)


def without_tensors(pattern):
    def mutate(model):
        for name in fnmatch.filter(list(model.tensors), pattern):
            model.tensors[name] = np.zeros_like(model.tensors[name])

    return mutate
