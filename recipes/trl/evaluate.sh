#!/usr/bin/env bash
# pass@1 of what a run ended with: give it the words of the training. See ../shared/evaluate.sh.
exec "$(dirname "$0")/../shared/evaluate.sh" trl "$@"
