# A throw-away Postgres that cannot outlive the one who started it.
# usage: sh postgres.sh BIN DIR SETTINGS; says `ready` or `failed`, then serves until its standard input ends.
# The input is a pipe held by `cargo xtask test`: however that ends, by Ctrl-C or kill -9, the pipe closes.
bin=$1 dir=$2 settings=$3
trap '' HUP INT TERM

"$bin/initdb" --pgdata="$dir/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
    >"$dir/log" 2>&1 </dev/null &&
"$bin/pg_ctl" start --wait --timeout=60 --pgdata="$dir/data" --log="$dir/log" --options="\
    -c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=300 \
    $settings" >>"$dir/log" 2>&1 </dev/null &&
echo ready || echo failed

cat >/dev/null
"$bin/pg_ctl" stop --mode=immediate --pgdata="$dir/data" >/dev/null 2>&1 </dev/null
rm -rf "$dir"
