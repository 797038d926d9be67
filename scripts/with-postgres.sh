#!/usr/bin/env bash
# scripts/with-postgres.sh COMMAND…: runs COMMAND with CHAINRULE_TEST_POSTGRES naming a PostgreSQL of its own on loopback, installed
# from Debian's packages where it is missing; where that cannot be, COMMAND runs without it and its tests say that they were skipped.
set -uo pipefail
bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
if [ -z "$(bin)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql) >/dev/null 2>&1
fi
if [ -z "$(bin)" ]; then
  echo "PostgreSQL is not installed: its tests are skipped"
  exec "$@"
fi
# The server refuses to run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
folder=$(mktemp -d)
[ "$(id -u)" = 0 ] && chown postgres "$folder"
port=$((20000 + RANDOM % 20000))
stop() { as "$(bin)/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"; }
trap stop EXIT
if as "$(bin)/initdb" -D "$folder/data" -U chainrule -A trust >"$folder.log" 2>&1 &&
  as "$(bin)/pg_ctl" -D "$folder/data" -w -l "$folder/log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder -c fsync=off" start >>"$folder.log" 2>&1; then
  export CHAINRULE_TEST_POSTGRES="postgres://chainrule@127.0.0.1:$port/postgres"
else
  echo "PostgreSQL could not be started: its tests are skipped"
  tail -5 "$folder.log"
fi
rm -f "$folder.log"
"$@"
