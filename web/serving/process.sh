#!/usr/bin/env bash
# Runs one line of the Procfile. Leaves its process number and start time behind, so that ./run can find and end it
# even after its runner was killed, and never a stranger that was given the same number.
set -euo pipefail
name="$1"
shift
[[ $name == stream ]] && rm -f "$STREAM_SOCKET"
[[ $name == web ]] && rm -f "$WEB_SOCKET" && export QUANTU_POOL=1 QUANTU_WARM_UP=1
stat="$(<"/proc/$$/stat")"
read -r -a fields <<<"${stat##*) }"
printf '%s %s\n' "$$" "${fields[19]}" >"$QUANTU_STATE/pids/$name"
exec "$@"
