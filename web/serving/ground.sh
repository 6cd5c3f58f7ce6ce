# Where everything lies, how ./run speaks, and the few tools every other part needs. Sourced by ./run.
# Messages go to standard error, so that standard output stays free for answers (--json).

QUANTU_STATE="${QUANTU_STATE:-$ROOT/.local}"
mkdir -p "$QUANTU_STATE"
QUANTU_STATE="$(cd "$QUANTU_STATE" && pwd -P)"
export QUANTU_STATE
PORT="${PORT:-8000}"
QUANTU_HOST="${QUANTU_HOST:-127.0.0.1}"
export PORT QUANTU_HOST
LOGS="$QUANTU_STATE/logs"
VENV="$QUANTU_STATE/venv"
ENVIRONMENT="$QUANTU_STATE/environment"
# Names what must lie outside the state folder (see services.sh); a new state folder at an old place is another one.
[[ -s $QUANTU_STATE/id ]] || (umask 077; head -c 16 /dev/urandom | sha256sum | cut -c1-32 >"$QUANTU_STATE/id")
STATE_KEY="$({ printf '%s' "$QUANTU_STATE"; cat "$QUANTU_STATE/id"; } | sha256sum | cut -c1-12)"
LOCK_FD=""
# Plain contents pass through memory where it has room for the largest uploads, else through the state folder.
if [[ -z ${QUANTU_SCRATCH:-} ]]; then
  QUANTU_SCRATCH="$QUANTU_STATE/scratch"
  (($(df --output=avail -BM /dev/shm 2>/dev/null | tail -n 1 | tr -dc 0-9 || true) + 0 >= 2000)) && QUANTU_SCRATCH="/dev/shm/quantu-$STATE_KEY"
fi
(umask 077; mkdir -p "$QUANTU_SCRATCH")
export QUANTU_SCRATCH

say() { printf '%s\n' "$*" >&2; }
warn() { printf 'run: %s\n' "$*" >&2; }
die() { warn "$*"; exit 1; }
am_root() { [[ $(id -u) == 0 ]]; }
seconds_since() { printf '%d' $((SECONDS - $1)); }

prepare_folders() {
  mkdir -p "$LOGS" "$QUANTU_STATE"/{media,graphs,cache,numba,pids}
}

# One ./run at a time may change the state folder; a second one waits. The kernel drops the lock when we die.
take_lock() {
  [[ -n $LOCK_FD ]] && return 0
  exec {LOCK_FD}>"$QUANTU_STATE/run.lock"
  flock -n "$LOCK_FD" && return 0
  say "Another ./run is at work here; waiting for it …"
  flock -w 900 "$LOCK_FD" || die "the other ./run is still busy after 15 minutes; see $LOGS"
}

drop_lock() {
  [[ -z $LOCK_FD ]] && return 0
  exec {LOCK_FD}>&-
  LOCK_FD=""
}

# step "What is being done" command…: runs the command with its output in a log, shows the elapsed seconds, and on
# failure shows the end of the log. The command runs in a subshell without the lock, so a daemon cannot keep it.
step() {
  local title="$1" started=$SECONDS began=$EPOCHREALTIME log pid status=0 shown=0
  shift
  log="$LOGS/$(printf '%s' "$1" | tr -c 'A-Za-z0-9_.-' '_').log"
  printf '\n== %s: %s\n' "$(date -u +%FT%TZ)" "$title" >>"$log"
  set -m # a process group of its own, so that an interrupted step ends with all its children
  ( set +m; set -euo pipefail; [[ -z $LOCK_FD ]] || exec {LOCK_FD}>&-; "$@" ) >>"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  STEP_PID=$pid
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    local elapsed=$((SECONDS - started))
    ((elapsed > shown)) || continue
    if [[ -t 2 ]]; then
      printf '\r%-58s %4d s ' "$title" "$elapsed" >&2
    elif ((shown == 0 || elapsed >= shown + 20)); then
      ((shown == 0)) && say "$title …" || say "  … $elapsed s"
    else
      continue
    fi
    shown=$elapsed
  done
  wait "$pid" || status=$?
  STEP_PID=""
  printf '%s\t%s\t%s\t%s\n' "$began" "$EPOCHREALTIME" "$status" "$title" >>"$LOGS/steps.tsv"
  if ((status != 0)); then
    [[ -t 2 ]] && printf '\n' >&2
    warn "failed after $(seconds_since "$started") s: $title. The end of $log:"
    tail -n 25 "$log" >&2
    return "$status"
  fi
  ((shown == 0)) || printf "${TERM_START:-}%-58s %4d s\n" "$title" "$((SECONDS - started))" >&2
}
STEP_PID=""
BESIDE="" BESIDE_PIDS=""
TERM_START=""
[[ -t 2 ]] && TERM_START='\r'

# beside NAME command…: begins a command that nothing needs yet, once, with its output in a log; "step TITLE joined NAME…"
# waits for it.
beside() {
  local name="$1" log="$LOGS/$1.log" ended="$QUANTU_STATE/pids/$1.ended"
  ! begun "$name" || return 0
  BESIDE+=" $name"
  shift
  rm -f "$ended"
  set -m
  ( set +m; set -euo pipefail; [[ -z $LOCK_FD ]] || exec {LOCK_FD}>&-; trap 'echo $? >"$ended"' EXIT; "$@" ) >"$log" 2>&1 </dev/null &
  BESIDE_PIDS+=" $!"
  printf '%s\n' "$!" >"$QUANTU_STATE/pids/$name.beside"
  set +m
}

begun() { [[ " $BESIDE " == *" $1 "* ]]; }

joined() { # name…
  local name ended status
  for name in "$@"; do
    ended="$QUANTU_STATE/pids/$name.ended"
    while [[ ! -s $ended ]]; do
      kill -0 "$(<"$QUANTU_STATE/pids/$name.beside")" 2>/dev/null || [[ -s $ended ]] || return 1
      sleep 0.1
    done
    status="$(<"$ended")"
    ((status == 0)) || { tail -n 20 "$LOGS/$name.log"; return "$status"; }
  done
}

# Ends what is under way (and its children) when ./run is interrupted.
end_step() {
  local pid
  for pid in $STEP_PID $BESIDE_PIDS; do
    kill -TERM -- "-$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

fingerprint() { cat "$@" | sha256sum | cut -c1-40; }

# A file is replaced whole or not at all.
write_file() { # path mode < text
  local draft
  draft="$(mktemp "$1.XXXXXX")"
  cat >"$draft"
  chmod "$2" "$draft"
  mv -f "$draft" "$1"
}
