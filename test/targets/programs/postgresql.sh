#!/bin/sh
# PostgreSQL in a data folder of its own below $DIR, as the user postgres, over TLS alone on $PORT.
set -e
binaries=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
mkdir -p "$DIR/data"
cp "$CERT" "$DIR/server.crt"
cp "$KEY" "$DIR/server.key"
chmod 755 "$DIR"
chown -R postgres "$DIR/data" "$DIR/server.crt" "$DIR/server.key"
chmod 600 "$DIR/server.key"
cd "$DIR"
runuser -u postgres -- "$binaries/initdb" --no-sync --auth=trust -D "$DIR/data" >/dev/null
exec runuser -u postgres -- "$binaries/postgres" -D "$DIR/data" -p "$PORT" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c ssl=on -c "ssl_cert_file=$DIR/server.crt" -c "ssl_key_file=$DIR/server.key"
