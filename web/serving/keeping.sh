# Keeping data: backup, restore, reset.

archive() { # save|restore arguments…
  DATABASE_URL="${DATABASE_URL:-$(database_url)}" PYTHONPATH="$ROOT" "$VENV/bin/python" -m web.serving.archive "$@"
}

cmd_backup() {
  local file
  set_up run
  file="$(realpath -m "${1:-$QUANTU_STATE/backups/quantu-$(date -u +%Y%m%dT%H%M%SZ).tar}")"
  step "Backing up" archive save "$file"
  say "$(tail -n 1 "$LOGS/archive.log")"
  printf '%s\n' "$file"
}

cmd_restore() {
  local file="" force=() argument
  for argument in "$@"; do
    if [[ $argument == --force ]]; then force=(--force); else file="$argument"; fi
  done
  [[ -n $file ]] || die "say which backup: ./run restore FILE [--force]"
  [[ -f $file ]] || die "there is no file $file"
  file="$(realpath "$file")"
  set_up run
  stop_city
  step "Restoring and comparing" archive restore "$file" "${force[@]}"
  # What was remembered of signed logs belongs to what was there before; it is kept beside, for who looks into it.
  [[ ! -e $QUANTU_STATE/log-heads ]] || mv "$QUANTU_STATE/log-heads" "$QUANTU_STATE/log-heads.before-$(date -u +%Y%m%dT%H%M%SZ)"
  # The road graph is made from the database; the one on disk may belong to what was there before.
  rm -rf "$QUANTU_STATE/graphs" "$QUANTU_STATE/nginx/tiles"
  mkdir -p "$QUANTU_STATE/graphs"
  # A Redis of yours may hold other things; ours holds only queues and caches of what was there before.
  [[ -n $OWN_REDIS ]] || redis-cli -s "$REDIS_SOCKET" flushall >/dev/null
  say "$(tail -n 1 "$LOGS/archive.log"); every count and hash is as in the backup. ./run start serves it."
}

cmd_reset() {
  local empty="" sure="" argument answer
  for argument in "$@"; do
    case "$argument" in
      --empty) empty=1 ;;
      --yes) sure=1 ;;
      *) die "./run reset knows --empty and --yes, not $argument" ;;
    esac
  done
  [[ -z $OWN_DATABASE$OWN_REDIS ]] || die "DATABASE_URL or REDIS_URL names a server of yours; reset only forgets private ones"
  if [[ -z $sure ]]; then
    [[ -t 0 ]] || die "reset forgets all data; say ./run reset --yes"
    read -r -p "Forget all data in $QUANTU_STATE (database, uploads, road graphs)? Type yes: " answer
    [[ $answer == yes ]] || die "nothing was touched"
  fi
  stop_all
  take_lock
  step "Forgetting all data" forget_data
  [[ -z $empty ]] || touch "$QUANTU_STATE/left-empty"
  say "Done. ./run start begins anew${empty:+, without an invented city}."
}

forget_data() {
  rm -rf "$PG_DATA" "$PG_DATA.new" "$PG_SOCKETS" "$REDIS_DATA" "$REDIS_SOCKETS" "$(folder_for_sockets "$QUANTU_STATE/web" web)" \
    "$QUANTU_STATE"/{media,graphs,cache,static,nginx,environment,left-empty,log-heads}
  rm -rf "$QUANTU_SCRATCH"/of-* "$QUANTU_SCRATCH/nginx"
  rmdir "$(dirname "$PG_DATA")" 2>/dev/null || true
}
