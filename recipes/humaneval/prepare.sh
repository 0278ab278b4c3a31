#!/usr/bin/env bash
# Write MBPP's training tasks without those near HumanEval, MBPP's validation split, and HumanEval, to EGCA_DATA
# (default: data). MBPP=PATH takes MBPP's JSONL file instead of the hub; CONSTRAINTS=paper|signature adds constraints
# to the prompts, and to the tasks, against which a run checks them.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}") data=${EGCA_DATA:-data} level=${CONSTRAINTS:-off}
for split in train validation; do
  egca prepare mbpp --split "$split" --source "${MBPP:-hub}" --constraints "$level" --out "$data"
done
egca prepare humaneval --constraints "$level" --out "$data"
python "$here/decontaminate.py" --data "$data" "$@"
