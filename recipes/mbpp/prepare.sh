#!/usr/bin/env bash
# Write the splits of MBPP to EGCA_DATA (default: data). MBPP=PATH takes its JSONL file instead of the hub;
# CONSTRAINTS=paper|signature adds constraints to the training prompts, and to their tasks, against which a run checks
# them; EVAL_CONSTRAINTS does the same for validation and test.
set -euo pipefail
write() {
  egca prepare mbpp --split "$1" --source "${MBPP:-hub}" --constraints "$2" --out "${EGCA_DATA:-data}"
}
write train "${CONSTRAINTS:-off}"
write validation "${EVAL_CONSTRAINTS:-off}"
write test "${EVAL_CONSTRAINTS:-off}"
