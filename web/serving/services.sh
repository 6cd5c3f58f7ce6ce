# The private PostgreSQL + PostGIS cluster and the private Redis: created, started, stopped. Neither listens on TCP.
# DATABASE_URL or REDIS_URL set by the caller replaces the private one, which is then left alone.

PG_BIN=/usr/lib/postgresql/15/bin
OWN_DATABASE="${DATABASE_URL:+no}"
OWN_REDIS="${REDIS_URL:+no}"

# PostgreSQL refuses to run as root: then it runs as Debian's user postgres.
as_postgres() {
  if am_root; then
    (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/ "$@")
  else
    (cd / && exec "$@")
  fi
}

# The state folder, unless user postgres cannot get there; then a folder of this checkout's own under /var/lib.
ground_for_postgres() {
  if ! am_root || as_postgres test -x "$QUANTU_STATE" 2>/dev/null; then
    printf '%s' "$QUANTU_STATE"
  else
    printf '/var/lib/quantu/%s' "$STATE_KEY"
  fi
}

# A socket path holds 107 characters at most, so a deep state folder gets a short, private one elsewhere.
folder_for_sockets() { # folder-of-choice name
  if ((${#1} <= 80)); then
    printf '%s' "$1"
  elif am_root; then
    printf '/run/quantu-%s-%s' "$STATE_KEY" "$2"
  else
    printf '%s/quantu-%s-%s-%s' "${XDG_RUNTIME_DIR:-/tmp}" "$(id -u)" "$STATE_KEY" "$2"
  fi
}

own_folder() { # path owner
  mkdir -p "$1"
  [[ -O $1 || $(stat -c %U "$1") == "$2" ]] || die "$1 belongs to somebody else; move it away or set QUANTU_STATE"
  chmod 700 "$1"
  if am_root; then chown "$2" "$1"; fi
}

locate_services() {
  local ground owner
  ground="$(ground_for_postgres)"
  owner="$(am_root && echo postgres || id -un)"
  PG_OWNER="$owner"
  PG_DATA="$ground/pg"
  PG_SOCKETS="$(folder_for_sockets "$ground/sock" pg)"
  REDIS_DATA="$QUANTU_STATE/redis"
  REDIS_SOCKETS="$(folder_for_sockets "$REDIS_DATA" redis)"
  REDIS_SOCKET="$REDIS_SOCKETS/redis.sock"
}

# ---- PostgreSQL

postgres_alive() { as_postgres "$PG_BIN/pg_isready" -q -h "$PG_SOCKETS" 2>/dev/null; }
superuser_sql() { as_postgres "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$PG_SOCKETS" -U postgres "$@"; }

create_cluster() {
  local draft="$PG_DATA.new"
  rm -rf "$draft"
  mkdir -p "$(dirname "$PG_DATA")"
  am_root && [[ $(dirname "$PG_DATA") == /var/lib/quantu/* ]] && chmod 755 /var/lib/quantu "$(dirname "$PG_DATA")"
  own_folder "$draft" "$PG_OWNER"
  as_postgres "$PG_BIN/initdb" -D "$draft" -U postgres --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=reject --data-checksums --no-instructions
  mv "$draft" "$PG_DATA"
}

# Half a gigabyte of shared buffers where memory allows, less on small machines.
shared_buffers() {
  local megabytes
  megabytes=$(awk '/^MemTotal/ {print int($2 / 1024 / 8)}' /proc/meminfo)
  ((megabytes > 512)) && megabytes=512
  ((megabytes < 64)) && megabytes=64
  printf '%dMB' "$megabytes"
}

configure_cluster() {
  local durable=on
  # A clean machine that only runs the tests has nothing to lose in a crash.
  [[ ${CI:-} == true ]] && durable=off
  cat >"$QUANTU_STATE/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$PG_SOCKETS'
unix_socket_permissions = 0700
max_connections = 120
shared_buffers = $(shared_buffers)
effective_cache_size = 4GB
work_mem = 16MB
maintenance_work_mem = 256MB
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
wal_compression = on
wal_level = replica
random_page_cost = 1.1
jit = off
max_locks_per_transaction = 256
fsync = $durable
full_page_writes = $durable
synchronous_commit = $durable
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = -1
log_statement = none
log_parameter_max_length_on_error = 0
CONF
  as_postgres tee "$PG_DATA/postgresql.auto.conf" >/dev/null <"$QUANTU_STATE/postgresql.conf"
  rm -f "$QUANTU_STATE/postgresql.conf"
}

# After kill -9 the old process number may belong to another program; the file is removed only if it does.
forget_dead_cluster() {
  local pid
  pid="$(as_postgres head -n 1 "$PG_DATA/postmaster.pid" 2>/dev/null || true)"
  [[ -z $pid || $(cat "/proc/$pid/comm" 2>/dev/null) == postgres ]] || as_postgres rm -f "$PG_DATA/postmaster.pid"
}

launch_cluster() {
  local attempt
  for attempt in 1 2 3; do
    forget_dead_cluster
    as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" -w -t 120 -l "$PG_DATA/server.log" start && return 0
    say "attempt $attempt failed; children of a killed server may still be leaving"
    sleep 3
  done
  as_postgres tail -n 20 "$PG_DATA/server.log"
  return 1
}

# Extensions go into template1, so every database made from it (tests too) has them without a superuser.
prepare_databases() {
  superuser_sql -d postgres <<SQL
select 'create role quantu login createdb' where not exists (select from pg_roles where rolname = 'quantu') \gexec
SQL
  superuser_sql -d template1 <<SQL
set client_min_messages = warning;
create extension if not exists postgis;
create extension if not exists pg_trgm;
create extension if not exists btree_gist;
alter table spatial_ref_sys owner to quantu;
SQL
  superuser_sql -d postgres <<SQL
select 'create database quantu owner quantu' where not exists (select from pg_database where datname = 'quantu') \gexec
SQL
}

start_postgres() {
  as_postgres test -s "$PG_DATA/PG_VERSION" || create_cluster
  own_folder "$PG_SOCKETS" "$PG_OWNER"
  configure_cluster
  launch_cluster
  prepare_databases
}

stop_postgres() {
  as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" -m fast -w -t 60 stop
}

# ---- Redis

redis_alive() { [[ $(redis-cli -s "$REDIS_SOCKET" ping 2>/dev/null) == PONG ]]; }

start_redis() {
  own_folder "$REDIS_DATA" "$(id -un)"
  own_folder "$REDIS_SOCKETS" "$(id -un)"
  redis-server --port 0 --unixsocket "$REDIS_SOCKET" --unixsocketperm 700 --daemonize yes --dir "$REDIS_DATA" \
    --logfile "$LOGS/redis.log" --pidfile "$QUANTU_STATE/pids/redis" --appendonly yes --databases 16 --save ''
  local tries
  for tries in {1..100}; do
    redis_alive && return 0
    sleep 0.1
  done
  say "redis does not answer after $tries tries"
  return 1
}

stop_redis() { redis-cli -s "$REDIS_SOCKET" shutdown nosave 2>/dev/null || true; }

# ---- both

# Plain `manage.py` and `pytest` read this file, under the real environment.
write_environment() {
  [[ -s $QUANTU_STATE/secret ]] || head -c 48 /dev/urandom | base64 -w 0 | write_file "$QUANTU_STATE/secret" 600
  {
    [[ -n $OWN_DATABASE ]] || echo "DATABASE_URL=postgresql:///quantu?host=$PG_SOCKETS&user=quantu"
    [[ -n $OWN_REDIS ]] || echo "REDIS_URL=unix://$REDIS_SOCKET?db=0"
    echo "NUMBA_CACHE_DIR=$QUANTU_STATE/numba"
  } | write_file "$ENVIRONMENT" 600
}

start_services() {
  STARTED_SERVICES=""
  if [[ -z $OWN_DATABASE ]] && ! postgres_alive; then
    step "Starting PostgreSQL" start_postgres
    STARTED_SERVICES+=" postgres"
  fi
  if [[ -z $OWN_REDIS ]] && ! redis_alive; then
    step "Starting Redis" start_redis
    STARTED_SERVICES+=" redis"
  fi
  write_environment
}

stop_services() {
  if [[ -z $OWN_DATABASE ]] && postgres_alive; then step "Stopping PostgreSQL" stop_postgres; fi
  if [[ -z $OWN_REDIS ]] && redis_alive; then step "Stopping Redis" stop_redis; fi
}
