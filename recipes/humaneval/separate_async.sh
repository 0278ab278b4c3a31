#!/usr/bin/env bash
# One node; four GPUs train while four sample.
exec "$(dirname "$0")/../shared/launch.sh" humaneval hardware=node mode=separate_async "$@"
