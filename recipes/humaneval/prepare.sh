#!/usr/bin/env bash
# Write MBPP's training tasks without those near HumanEval, MBPP's validation split, and HumanEval, to EGCA_DATA
# (default: data). MBPP=PATH takes MBPP's JSONL file instead of the hub; CONSTRAINTS=paper|signature adds constraints
# to the training prompts, and to their tasks, against which a run checks them; EVAL_CONSTRAINTS does the same for
# validation and HumanEval.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}") data=${EGCA_DATA:-data} plain=${EVAL_CONSTRAINTS:-off}
egca prepare mbpp --split train --source "${MBPP:-hub}" --constraints "${CONSTRAINTS:-off}" --out "$data"
egca prepare mbpp --split validation --source "${MBPP:-hub}" --constraints "$plain" --out "$data"
egca prepare humaneval --constraints "$plain" --out "$data"
python "$here/decontaminate.py" --data "$data" "$@"
