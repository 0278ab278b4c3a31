#!/usr/bin/env bash
# SmolLM2-135M-Instruct on this machine's CPU, three steps: the starter tasks, or tasks=mbpp, tasks=humaneval.
exec "$(dirname "$0")/launch.sh" hardware=cpu tasks=starter "$@"
