#!/usr/bin/env bash
# pass@1 on MBPP's 500 test tasks with the run's last checkpoint. Give the same overrides as to the training.
exec "$(dirname "$0")/../shared/launch.sh" mbpp 1 trainer.val_only=true \
  'data.val_files=${oc.env:EGCA_DATA}/mbpp-test.parquet' \
  'trainer.validation_data_dir=${trainer.default_local_dir}/test' "$@"
