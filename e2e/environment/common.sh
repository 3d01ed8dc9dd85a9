# What the `setup` and `teardown` beside each engine share; sourced by bash with `set -euo pipefail`.
#
# A setup prints NAME=VALUE lines on standard output and talks on standard error. Where it starts a server it leaves
# a note: `<run>/<name>.pid`, and who asked for it, `<run>/<name>.owner` (CLIPPER_ENVIRONMENT_OWNER, a process id, or
# empty for a person). A teardown ends only what a note names, and for an owner only the owner's.

say() { echo "   $*" >&2; }
fail() { echo "   $*" >&2; exit 1; }

# Kept between runs, keyed by version: base images, the test engine's images.
cache_directory() {
  local directory=${XDG_CACHE_HOME:-$HOME/.cache}/clipper-e2e
  mkdir -p "$directory"
  echo "$directory"
}

# Pid files, logs and sockets; short, because a socket's path may have 107 bytes.
run_directory() {
  local parent=${XDG_RUNTIME_DIR:-/tmp}
  [[ $EUID -eq 0 ]] && parent=/run
  local directory=$parent/clipper-e2e
  mkdir -p -m 0700 "$directory"
  echo "$directory"
}

# Installs Debian packages that are missing: need_packages PACKAGE...
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  [[ $EUID -eq 0 ]] || fail "needs root to install ${missing[*]}"
  say "installing ${missing[*]}"
  local attempt
  for attempt in 1 2 3; do
    apt_get update && apt_get install --yes --no-install-recommends "${missing[@]}" && return
    say "apt-get failed (attempt $attempt of 3)"
    sleep $((attempt * 5))
  done
  fail "apt-get could not install ${missing[*]}"
}

# As need_packages, and no service that the packages bring is started: tests start servers of their own.
need_packages_without_services() {
  local policy=/usr/sbin/policy-rc.d made=false status=0
  if [[ $EUID -eq 0 && ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
    made=true
  fi
  # In a shell of its own, because a failure ends the shell and the policy must go all the same.
  (need_packages "$@") || status=$?
  if [[ $made == true ]]; then rm -f "$policy"; fi
  return "$status"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" >&2
}

# Starts a server in a session of its own and leaves the note: start_server NAME PROGRAM [ARGUMENT...]
start_server() {
  local name=$1 run
  shift
  run=$(run_directory)
  setsid "$@" >"$run/$name.log" 2>&1 </dev/null &
  echo $! >"$run/$name.pid"
  echo "${CLIPPER_ENVIRONMENT_OWNER:-}" >"$run/$name.owner"
  # What tells it from a later process with the same id.
  process_start "$!" >"$run/$name.started"
}

# Whether the server of an earlier setup still runs: is_running NAME
is_running() {
  local run pid
  run=$(run_directory)
  [[ -f $run/$1.pid ]] || return 1
  pid=$(<"$run/$1.pid")
  [[ -n $pid && $(process_start "$pid") == "$(<"$run/$1.started")" ]]
}

# Takes over a server whose owner was killed before it could end it: adopt_server NAME
adopt_server() {
  local run owner
  run=$(run_directory)
  is_running "$1" || return 0
  owner=$(<"$run/$1.owner")
  [[ -z $owner || -d /proc/$owner ]] || echo "${CLIPPER_ENVIRONMENT_OWNER:-}" >"$run/$1.owner"
}

# Ends a server that a setup started, and waits until it is gone: end_server NAME
end_server() {
  local name=$1 run owner pid deadline=$((SECONDS + 30))
  run=$(run_directory)
  [[ -f $run/$name.pid ]] || return 0
  owner=$(<"$run/$name.owner")
  if [[ -n ${CLIPPER_ENVIRONMENT_OWNER:-} && $owner != "$CLIPPER_ENVIRONMENT_OWNER" ]]; then return 0; fi
  if is_running "$name"; then
    pid=$(<"$run/$name.pid")
    say "ending $name (pid $pid)"
    kill "$pid"
    while is_running "$name"; do
      if ((SECONDS >= deadline)); then
        say "$name does not end by itself, killing it"
        kill -9 "$pid" || true
        deadline=$((SECONDS + 30))
      fi
      sleep 0.1
    done
  fi
  rm -f "$run/$name".{pid,owner,started}
}

# The tick at which a process started, empty when there is none (or only a zombie): process_start PID
process_start() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -r -a fields <<<"${stat##*) }"
  [[ ${fields[0]} == Z ]] || echo "${fields[19]}"
}

# Polls a command until it succeeds: wait_until SECONDS COMMAND [ARGUMENT...]
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
