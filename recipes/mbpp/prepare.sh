#!/usr/bin/env bash
# Write the splits of MBPP to EGCA_DATA (default: data). MBPP=PATH takes its JSONL file instead of the hub;
# CONSTRAINTS=paper|signature adds constraints to the prompts, and to the tasks, against which a run checks them.
set -euo pipefail
for split in train validation test; do
  egca prepare mbpp --split "$split" --source "${MBPP:-hub}" --constraints "${CONSTRAINTS:-off}" --out "${EGCA_DATA:-data}"
done
