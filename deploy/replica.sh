#!/bin/bash
# A streaming replica: it copies the primary when it starts for the first time, and follows it from then on.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 0700 "$PGDATA"
  chown postgres:postgres /var/lib/postgresql /var/run/postgresql
  exec gosu postgres "$BASH" "$0"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  pg_basebackup -h db -U replication -D "$PGDATA" --write-recovery-conf --checkpoint=fast --create-slot --slot=replica
fi
# With feedback the primary keeps what a long reading here still needs, and the reading is not broken off.
exec postgres -c hot_standby_feedback=on -c wal_recycle=off
