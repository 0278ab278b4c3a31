#!/usr/bin/env bash
# evaluate.sh FRAMEWORK [WORDS AND OPTIONS...]: pass@1, greedy, of what a run of TRL's or OpenRLHF's recipe ended with: on
# MBPP's 500 test tasks, or with tasks=humaneval on its 164. Give it the words of the training. Options are sample.py's:
# --limit N scores fewer tasks, --model NAME another model, such as the base model.
set -euo pipefail
# shellcheck source=words.sh
. "$(dirname "${BASH_SOURCE[0]}")/words.sh" "$@"

if [ ! -f "$out/model/tokenizer_config.json" ] && [[ " ${options[*]} " != *" --model"* ]]; then
  refuse 5 "no model in $out/model: give the words that the training had, or --model NAME to score another"
fi
few=()
if [ "$hardware" = cpu ]; then few=(--limit 32 --tokens 128 --batch 8); fi # all would take half an hour
python "$shared/sample.py" --model "$out/model" --rows "$test.parquet" --out "$out/test/samples.jsonl" \
  "${few[@]}" "${options[@]}"
egca eval "$test.jsonl" --samples "$out/test/samples.jsonl" --partial
