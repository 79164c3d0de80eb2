#!/bin/bash
# Trains the five methods at the paper's size, and the harmonic CNN alone, on rendered notes of several
# SoundFonts, and scores them on recorded ones, within 8 minutes of a graphics card.
#
#   models/recipes/train/gpu_full.sh OUTPUT REAL RENDERED...     folders of notes, as instruments/render.py writes them
#   DEVICE=cpu WIDTH=8 EPOCHS=4 EACH=1 METHODS="none con-reg"    tries it where there is no card
#
# What is done is kept, embeddings too: the same command goes on after an interruption, also by Ctrl-C.
set -euo pipefail
output=$1 real=$2 rendered=("${@:3}")
here=$(dirname "$0")
end=$(($(date +%s) + ${SECONDS_AT_MOST:-460}))
mkdir -p "$output"
python "$here/../instruments/combine.py" --learn "${rendered[@]}" --score "$real" --each "${EACH:-8}" \
  --output "$output/notes.csv"
for method in ${METHODS:-none con-reg dis-reg feature-only concat film}; do
  [ -f "$output/$method.json" ] && continue
  left=$((end - $(date +%s)))
  [ "$left" -gt 0 ] || { echo "time is up before $method; the same command goes on"; exit 1; }
  timeout --foreground --signal=INT "$left" python "$here/informed_training.py" --data "$output/notes.csv" \
    --method "$method" --feature "${FEATURE:-musicnn}" --embeddings "$output/embeddings" --metric balanced \
    --epochs "${EPOCHS:-20}" --width "${WIDTH:-128}" --chunks 1 --device "${DEVICE:-cuda}" --mixed \
    --checkpoints "$output/kept" --curves "$output/curves" --output "$output/$method.json"
done
