# The city at work: database and static files prepared, then web server, worker, beat and nginx under one runner.

MIGRATED="$QUANTU_STATE/pids/migrated"
HEALTH_WAIT_S="${QUANTU_HEALTH_WAIT:-120}"
STARTING="" # set while the processes run but the start is not done
CITY_PROCESSES=(runner web stream worker beat nginx)

manage() { # runs in the repository, whatever the caller's folder
  (cd "$ROOT" && exec "$VENV/bin/python" manage.py "$@")
}

scheme() { [[ -n ${QUANTU_TLS:-} ]] && printf https || printf http; }
visible_host() { case "$QUANTU_HOST" in 0.0.0.0 | '[::]') printf localhost ;; *) printf '%s' "$QUANTU_HOST" ;; esac; }
address() { printf '%s://%s:%s/' "$(scheme)" "$(visible_host)" "$PORT"; }

# ---- before the start

database_url() { sed -n 's/^DATABASE_URL=//p' "$ENVIRONMENT" | tail -n 1; }

ask_database() { "${PG_BIN}/psql" -X -A -t -d "${DATABASE_URL:-$(database_url)}" -c "$1"; }
database_is_empty() { [[ $(ask_database 'select exists (select from regions_region)') == f ]]; }

# Names, sizes and times of our own static files, and the versions of the packages that bring theirs.
static_fingerprint() {
  (
    cd "$ROOT"
    find . \( -name node_modules -o -name .local -o -name .git \) -prune -o -path '*/static/*' -type f -printf '%p %s %T@\n' | sort
    cat requirements.txt web/settings.py
  ) | sha256sum | cut -c1-40
}

collect_static() {
  export QUANTU_HASHED_STATIC=1
  manage collectstatic --noinput --clear -v 0
  # nginx sends the packed neighbour of a file, so nothing is packed twice.
  find "$QUANTU_STATE/static" -type f -size +1k \
    \( -name '*.js' -o -name '*.mjs' -o -name '*.css' -o -name '*.svg' -o -name '*.json' \) -exec gzip -k -9 -f {} +
  static_fingerprint >"$QUANTU_STATE/static/.made-from"
}

static_is_current() { [[ $(cat "$QUANTU_STATE/static/.made-from" 2>/dev/null) == "$(static_fingerprint)" ]]; }

# The machine code of the road engine, compiled once for all processes.
compile_kernels() { (cd "$ROOT" && NUMBA_CACHE_DIR="$QUANTU_STATE/numba" nice "$VENV/bin/python" -m routing.warming); }

refresh_static() { static_is_current || collect_static; }

migrate_database() {
  manage migrate --noinput
  touch "$MIGRATED"
}

# What needs neither the libraries nor each other. People wait for the city, so compiling gives way to it.
begin_ahead() {
  ! begun migrated || return 0
  rm -f "$MIGRATED"
  begin_first_city
  beside migrated migrate_database
  beside kernels compile_kernels
}

# Nothing was loaded yet, and nobody asked for that to be so.
lacks_city() { [[ ! -e $QUANTU_STATE/left-empty ]] && database_is_empty; }

# The very first city can be generated while its tables are made.
begin_first_city() {
  [[ ! -e $QUANTU_STATE/left-empty && $(ask_database "select to_regclass('regions_region') is null") == t ]] || return 0
  beside invented manage load_city --scale "${QUANTU_SCALE:-demo}" --await "$MIGRATED"
}

load_city() {
  if begun invented; then joined invented; else manage load_city --scale "${QUANTU_SCALE:-demo}"; fi
}

prepare_processes() {
  begin_ahead
  beside static refresh_static
  step "Bringing the database up to date" joined migrated
  step "Compiling the road engine and collecting static files" joined kernels static
  write_nginx_conf
}

# Loading leaves half a machine idle, so the processes start meanwhile; they see the city the moment it is published.
fill_city() {
  if begun invented || lacks_city; then
    step "Inventing a city (${QUANTU_SCALE:-demo}) and loading it" load_city
  elif ! graph_stands && ! database_is_empty; then
    # After a restore, or when the graphs were deleted: they are made from the database.
    step "Asking for the road graph" manage shell -v 0 -c 'from geo.roads.actions import ask_for_graph; ask_for_graph()'
  fi
}

graph_stands() { [[ -s $QUANTU_STATE/graphs/current ]]; }

# The worker builds the graph; without it there are no circles, so a first start waits for it (but not for ever).
wait_for_graph() {
  local since=$SECONDS
  until graph_stands; do
    ((SECONDS - since < 240)) || { say "not there yet; circles answer as soon as the worker has built it"; return 0; }
    living worker >/dev/null || return 1
    sleep 0.3
  done
}

make_certificate() {
  local folder="$QUANTU_STATE/tls"
  [[ -s $folder/certificate.pem ]] && openssl x509 -checkend 86400 -noout -in "$folder/certificate.pem" && return 0
  mkdir -p -m 700 "$folder"
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=$(visible_host)" \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
    -keyout "$folder/key.pem.new" -out "$folder/certificate.pem.new"
  mv "$folder/key.pem.new" "$folder/key.pem"
  mv "$folder/certificate.pem.new" "$folder/certificate.pem"
}

write_nginx_conf() {
  local folder="$QUANTU_STATE/nginx" user="" listen="$QUANTU_HOST:$PORT" tls=""
  mkdir -p "$folder"
  # What an nginx that was killed left of uploads and answers.
  rm -rf "$folder"/{body,proxy} "$QUANTU_SCRATCH/nginx"
  mkdir -m 700 "$QUANTU_SCRATCH/nginx"
  am_root && user="user root;"
  if [[ -n ${QUANTU_TLS:-} ]]; then
    step "Making a self-signed certificate" make_certificate
    listen+=" ssl http2"
    tls="ssl_certificate $QUANTU_STATE/tls/certificate.pem; ssl_certificate_key $QUANTU_STATE/tls/key.pem; ssl_protocols TLSv1.2 TLSv1.3;"
  fi
  sed -e "s|@USER@|$user|" -e "s|@NGINX@|$folder|" -e "s|@LOGS@|$LOGS|" -e "s|@STATE@|$QUANTU_STATE|" -e "s|@SCRATCH@|$QUANTU_SCRATCH|" \
    -e "s|@WEB_SOCKET@|$WEB_SOCKET|" -e "s|@STREAM_SOCKET@|$STREAM_SOCKET|" -e "s|@LISTEN@|$listen|" -e "s|@TLS@|$tls|" \
    "$ROOT/web/serving/nginx.conf" | write_file "$NGINX_CONF" 644
  nginx -t -q -e stderr -c "$NGINX_CONF"
}

locate_city() {
  local sockets
  sockets="$(folder_for_sockets "$QUANTU_STATE/web" web)"
  own_folder "$sockets" "$(id -un)"
  WEB_SOCKET="$sockets/web.sock"
  STREAM_SOCKET="$sockets/stream.sock"
  WEB_WORKERS="${QUANTU_WEB_WORKERS:-$(nproc)}"
  ((WEB_WORKERS > 4)) && WEB_WORKERS=4
  NGINX_CONF="$QUANTU_STATE/nginx/nginx.conf"
  export WEB_SOCKET STREAM_SOCKET WEB_WORKERS NGINX_CONF
}

port_taken() { (exec 3<>"/dev/tcp/$(visible_host)/$PORT") 2>/dev/null; }

# ---- processes

# The process number a pid file names, if that very process (same start time) still lives.
living() { # name
  local pid born stat fields
  read -r pid born 2>/dev/null <"$QUANTU_STATE/pids/$1" || return 1
  stat="$(cat "/proc/$pid/stat" 2>/dev/null)" || return 1
  read -r -a fields <<<"${stat##*) }"
  [[ ${fields[19]} == "$born" && ${fields[0]} != Z ]] && printf '%s' "$pid"
}

launch_runner() {
  local path="$VENV/bin:$NODE_HOME/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
  cd "$ROOT"
  PATH="$path" QUANTU_HASHED_STATIC=1 PYTHONUNBUFFERED=1 setsid \
    "$ROOT/web/serving/process.sh" runner honcho -e /dev/null -f "$ROOT/Procfile" -d "$ROOT" start --no-colour \
    >>"$LOGS/city.log" 2>&1 </dev/null &
}

answers() {
  "$PYTHON" -I - "$(scheme)://$(visible_host):$PORT/health" <<'PY'
import ssl, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl._create_unverified_context()))
try:
    sys.exit(opener.open(sys.argv[1], timeout=5).status != 200)
except OSError:
    sys.exit(1)
PY
}

wait_for_health() {
  local since=$SECONDS
  until answers; do
    if ! living runner >/dev/null && ((SECONDS - since > 3)); then
      say "the processes have ended; the end of $LOGS/city.log:"
      tail -n 30 "$LOGS/city.log"
      return 1
    fi
    if ((SECONDS - since > HEALTH_WAIT_S)); then
      say "no answer from $(address)health within $HEALTH_WAIT_S s; the end of $LOGS/city.log:"
      tail -n 30 "$LOGS/city.log"
      return 1
    fi
    sleep 0.3
  done
}

end_group() { # name signal
  local pid
  pid="$(living "$1")" || return 0
  kill "-$2" -- "-$pid" 2>/dev/null || kill "-$2" "$pid" 2>/dev/null || true
}

end_processes() {
  local name tries
  end_group runner TERM
  for tries in {1..80}; do
    living runner >/dev/null || break
    sleep 0.1
  done
  for name in "${CITY_PROCESSES[@]}"; do end_group "$name" TERM; done
  for tries in {1..50}; do
    any_living || return 0
    sleep 0.1
  done
  for name in "${CITY_PROCESSES[@]}"; do end_group "$name" KILL; done
}

any_living() {
  local name
  for name in "${CITY_PROCESSES[@]}"; do living "$name" >/dev/null && return; done
  return 1
}

# ---- the three commands

start_city() {
  locate_city
  if living runner >/dev/null && answers && ! lacks_city; then
    say "Quantu already runs at $(address) (./run stop ends it)."
    return 0
  fi
  if any_living; then step "Ending what an earlier run left behind" end_processes; fi
  ! port_taken || die "port $PORT is in use by another program; choose another: PORT=8001 ./run"
  prepare_processes
  STARTING=1
  (exec {LOCK_FD}>&-; launch_runner)
  fill_city || { end_processes; return 1; }
  step "Starting web server, worker and beat" wait_for_health
  beside accounts manage demo_accounts
  if ! graph_stands && ! database_is_empty; then step "Building the road graph" wait_for_graph; fi
  STARTING=""
}

stop_city() {
  if any_living; then step "Stopping web server, worker and beat" end_processes; fi
}

greet() {
  say ""
  say "Quantu is at $(address)   (API: $(address)api/docs, state: $QUANTU_STATE, logs: $LOGS)"
  beside accounts manage demo_accounts
  if joined accounts >/dev/null; then
    say "Demo accounts (name, password, what for), because everything shown is invented so far:"
    say "$(<"$LOGS/accounts.log")"
  fi
}
