#!/usr/bin/env bash
# NODES nodes of eight GPUs in one running Ray cluster (README.md has the commands).
exec env CLUSTER=1 NODES="${NODES:-2}" "$(dirname "$0")/../shared/launch.sh" humaneval $((8 * ${NODES:-2})) hardware=cluster "$@"
