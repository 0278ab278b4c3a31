#!/usr/bin/env bash
# NODES nodes of eight GPUs in one running Ray cluster (README.md has the commands).
exec "$(dirname "$0")/../shared/launch.sh" humaneval hardware=cluster "$@"
