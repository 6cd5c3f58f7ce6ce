# Checking and measuring: test, bench, coverage, doctor.

own_packages() { # the top-level Python packages there are
  local package
  for package in geo tiles routing layers services web fixtures; do
    [[ -f $ROOT/$package/__init__.py ]] && printf '%s ' "$package"
  done
}

# check "What" command…: shows the command's output only when it fails, and remembers that it did.
check() {
  local title="$1"
  shift
  step "$title" "$@" || FAILED_CHECKS+="  $title"$'\n'
}

static_checks() {
  local packages
  read -r -a packages <<<"$(own_packages)"
  check "Checking style" ruff check .
  check "Checking layout of the code" ruff format --check --exclude '*.md' .
  check "Checking types" mypy --no-error-summary "${packages[@]}"
  check "Checking import rules" lint-imports
  check "Checking that models and migrations agree" python manage.py makemigrations --check --dry-run
}

# Servers that only the tests needed go when the tests are over.
stop_what_was_started() {
  [[ -z ${STARTED_SERVICES:-} ]] && return 0
  stop_services
}

cmd_test() {
  local status=0 workers=()
  FAILED_CHECKS=""
  set_up test
  drop_lock
  trap 'end_step; stop_what_was_started' EXIT
  # Hundreds of processes import the house: each would compile it anew.
  unset PYTHONDONTWRITEBYTECODE
  cd "$ROOT"
  export PATH="$VENV/bin:$NODE_HOME/bin:$PATH"
  if ((! $#)); then
    static_checks
    (($(nproc) > 1)) && workers=(-p tests.ordering -n 2 --dist loadfile --no-loadscope-reorder)
  fi
  say "Running the tests"
  python -m pytest -p tests.skipping "${workers[@]}" "$@" </dev/null || status=$?
  if [[ -n $FAILED_CHECKS ]]; then
    printf 'run: these checks failed (their output is above):\n%s' "$FAILED_CHECKS" >&2
    ((status)) || status=1
  fi
  exit "$status"
}

cmd_bench() {
  set_up test
  drop_lock
  cd "$ROOT"
  export PATH="$VENV/bin:$NODE_HOME/bin:$PATH"
  exec python -m tests.bench "$@"
}

cmd_coverage() {
  set_up test
  drop_lock
  trap 'stop_what_was_started' EXIT
  cd "$ROOT"
  export PATH="$VENV/bin:$NODE_HOME/bin:$PATH"
  python -m tests.coverage_report "$@"
}

# ---- doctor

good() { printf '  ok       %s\n' "$1"; }
bad() { printf '  MISSING  %s\n           mend: %s\n' "$1" "$2"; AILMENTS=$((AILMENTS + 1)); }
examine() { # "what is well" "what is not" "how to mend it" command…
  local well="$1" ill="$2" mend="$3"
  shift 3
  if "$@" >/dev/null 2>&1; then good "$well"; else bad "$ill" "$mend"; fi
}

venv_current() { [[ -n $(venv_holds) ]]; }
libraries_current() { [[ $(cat "$ROOT/web/static/vendor/.made-from") == "$(vendor_fingerprint)" ]]; }
database_answers() { "$PG_BIN/psql" -X -A -t -d "${DATABASE_URL:-$(database_url)}" -c 'select postgis_version()'; }
redis_answers() { "$VENV/bin/python" -c 'import os, sys, redis; redis.Redis.from_url(sys.argv[1]).ping()' "${REDIS_URL:-$(sed -n 's/^REDIS_URL=//p' "$ENVIRONMENT")}"; }
disk_is_roomy() { (($(df -Pk "$QUANTU_STATE" | awk 'NR == 2 {print $4}') > 3 * 1024 * 1024)); }
keys_are_private() { # no file of keys that others may read; one that is not there yet is made at its first use
  local file
  for file in "${QUANTU_KEYSTORE:-$QUANTU_STATE/keystore}" "${QUANTU_SIGNING_KEYS:-$QUANTU_STATE/signing-keys}"; do
    [[ ! -e $file || $(stat -c %a "$file") == [4-7]00 ]] || return 1
  done
}
memory_is_roomy() { (($(awk '/^MemTotal/ {print $2}' /proc/meminfo) > 3 * 1024 * 1024)); }

cmd_doctor() {
  AILMENTS=0
  prepare_folders
  local missing test_missing
  missing="$(missing_packages "${RUN_PACKAGES[@]}")"
  test_missing="$(missing_packages "${TEST_PACKAGES[@]}")"
  say "State folder: $QUANTU_STATE"
  if [[ -z $missing ]]; then good "Debian packages"; else bad "Debian packages: $missing" "apt-get install --no-install-recommends $missing"; fi
  if [[ -z $test_missing ]]; then good "Debian packages of the tests"; else bad "for ./run test alone: $test_missing" "apt-get install --no-install-recommends $test_missing"; fi
  examine "disk" "less than 3 GB free at $QUANTU_STATE" "free some, or set QUANTU_STATE to a folder elsewhere" disk_is_roomy
  examine "memory" "less than 3 GB of memory" "load the small city: QUANTU_SCALE=tiny ./run" memory_is_roomy
  examine "Python packages" "Python packages are missing or old" "./run start" venv_current
  examine "front-end libraries" "front-end libraries are missing or old" "./run start" libraries_current
  examine "files of keys" "others may read the keystore or the signing keys" "chmod 600 ${QUANTU_KEYSTORE:-$QUANTU_STATE/keystore} ${QUANTU_SIGNING_KEYS:-$QUANTU_STATE/signing-keys}" keys_are_private
  if [[ -z $missing ]]; then
    locate_services
    locate_city
    examine "PostgreSQL with PostGIS" "PostgreSQL does not answer" "./run services (log: $LOGS/start_postgres.log)" database_answers
    examine "Redis" "Redis does not answer" "./run services (log: $LOGS/redis.log)" redis_answers
    examine "migrations" "the database is behind the code" "./run manage migrate" manage migrate --check
    examine "keys open" "the keys cannot be read" "./run keys (docs/how-to/keys.md)" manage keys
    examine "$(address) answers" "$(address) does not answer" "./run start (log: $LOGS/city.log)" answers
    answers || examine "port $PORT is free" "port $PORT is held by another program" "PORT=8001 ./run start" bash -c "! (exec 3<>/dev/tcp/$(visible_host)/$PORT) 2>/dev/null"
  fi
  ((AILMENTS == 0)) || { say "$AILMENTS to mend."; exit 1; }
  say "All well."
}
