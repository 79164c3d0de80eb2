#!/bin/bash
# Trains the methods at length on a graphics card within 8 minutes, and scores them on the test notes.
#
#   models/recipes/train/gpu.sh NOTES OUTPUT      DEVICE=cpu STEPS=2 tries it where there is no card
#
# What is done is kept: the same command goes on after an interruption, also by Ctrl-C.
set -euo pipefail
notes=$1 output=$2
here=$(dirname "$0")
steps=${STEPS:-4000} device=${DEVICE:-cuda} seconds=${SECONDS_AT_MOST:-460}
mkdir -p "$output"
timeout --foreground --signal=INT "$seconds" python "$here/run.py" --data "$notes" --output "$output/results.json" \
  --device "$device" --mixed --select --every "$(((steps + 19) / 20))" --steps "$steps" \
  --methods ${METHODS:-all} --fractions 1 --seeds ${SEEDS:-0 1 2} --jobs "${JOBS:-3}" \
  --checkpoints "$output/checkpoints" --curves "$output/curves" --plot "$output/accuracy.svg" | tee "$output/table.md"
