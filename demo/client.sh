#!/bin/sh
# A client in shell: a new curl for each request, so that every one is a new process with a new connection, in HTTP/2.
# client.sh https://localhost:PORT [seconds]
end=$(($(date +%s) + ${2:-10}))
while [ "$(date +%s)" -lt "$end" ]; do
    curl --silent --insecure --output /dev/null --header 'content-type: application/json' \
        --data '{"item":"saucer","quantity":6}' "$1/orders" || exit 0
    sleep 0.7
done
