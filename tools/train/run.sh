#!/bin/sh
# Reproduces a checkpoint of models/ from nothing: texts, tokenizer, training,
# evaluation, samples, loss curve.
#
# usage: tools/train/run.sh NAME [WORK_FOLDER]        NAME: stories or tiny-v2
#
# Environment: PYTHON (default: python3) with requirements.txt installed;
# NODE_MODULES (default: ./node_modules), where npm put the public-domain texts.
set -eu

name=${1:?usage: run.sh NAME [WORK_FOLDER]}
here=$(cd "$(dirname "$0")" && pwd)
model=$here/../../models/$name
work=${2:-$here/work/$name}
mkdir -p "$model" "$work"
work=$(cd "$work" && pwd)
modules=$(cd "${NODE_MODULES:-node_modules}" && pwd)
python=${PYTHON:-python3}

cd "$here"
[ -e "$work/train.npy" ] || "$python" -m recipe.prepare "$name" "$model" "$work" "$modules"
"$python" -m recipe.train "$name" "$model" "$work"
"$python" -m recipe.evaluate "$model" "$work"
"$python" -m recipe.sample "$model" > "$work/samples.md"
"$python" -m recipe.plot "$work" "$model/loss.png"
