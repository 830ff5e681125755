#!/bin/sh
# Reproduces models/encodings from nothing: texts, tokenizer, 7 encodings x 3 seeds, evaluation, tables.
#
# usage: tools/train/run_encodings.sh [WORK_FOLDER]
#
# Environment: PYTHON (default: python3) with requirements.txt installed; MLA (default: build/mla), the built program,
# which takes the measurements; WORKERS (default: 2), trainings at a time, one thread each. Given again after an
# interruption, it goes on with the models that are not finished.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
models=$(cd "$here/../../models" && pwd)/encodings
work=${1:-$here/work/encodings}
mkdir -p "$models" "$work"
work=$(cd "$work" && pwd)
python=${PYTHON:-python3}
mla=$(realpath "${MLA:-$here/../../build/mla}")
export OMP_NUM_THREADS=1

cd "$here"
[ -e "$work/train.npy" ] || "$python" -m encoding_family.prepare "$models" "$work"

for seed in 1 2 3; do
  for encoding in sinusoidal rope-decoupled learned alibi none binary integer; do
    echo "$encoding $seed"
  done
done | xargs -P "${WORKERS:-2}" -L 1 "$python" -m encoding_family.job "$models" "$work"

"$python" -m encoding_family.measure "$mla" "$models" "$work"
"$python" -m encoding_family.summary "$models"
