#!/bin/sh
# Install the Debian packages that are missing, when run as root on Debian; otherwise say which part will do without.
#   setup_debian.sh venv PYTHON   what making a virtual environment needs
#   setup_debian.sh test          PostgreSQL 15, on which the tests run beside the embedded 18, PgBouncer, pgaudit
set -eu

say() { printf '%s\n' "setup: $*" >&2; }

may_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; }

install() {
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "$@" >/dev/null
}

need_python() {
    if ! "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
        say "$1 is not Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"
        exit 1
    fi
}

need_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    if ! may_install; then
        say "$1 cannot make virtual environments; ask root for: apt-get install python3-venv"
        exit 1
    fi
    say "installing python3-venv"
    apt-get update --quiet >/dev/null
    install python3-venv
}

# The package would make and start a cluster of its own on port 5432; the tests start theirs.
keep_debian_from_making_a_cluster() {
    dpkg-query --show postgresql-common >/dev/null 2>&1 && return
    install postgresql-common
    sed -i "s/^#\?create_main_cluster *=.*/create_main_cluster = false/" /etc/postgresql-common/createcluster.conf
}

need_postgresql_15() {
    [ -x /usr/lib/postgresql/15/bin/postgres ] && return
    if ! may_install; then
        say "PostgreSQL 15 is not installed, its tests will be skipped; ask root for: apt-get install postgresql-15"
        return
    fi
    apt-get update --quiet >/dev/null
    if ! apt-cache show postgresql-15 >/dev/null 2>&1; then
        say "this release has no package postgresql-15, its tests will be skipped"
        return
    fi
    say "installing postgresql-15"
    keep_debian_from_making_a_cluster
    install postgresql-15
}

# The package would start a pooler of its own on port 6432, now and at every boot; the tests start theirs.
install_without_starting() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    install "$1"
    update-rc.d "$1" disable >/dev/null 2>&1 || say "the service $1 may start at the next boot"
}

need_pgbouncer() {
    command -v pgbouncer >/dev/null 2>&1 && return
    [ -x /usr/sbin/pgbouncer ] && return
    if ! may_install; then
        say "PgBouncer is not installed, its tests will be skipped; ask root for: apt-get install pgbouncer"
        return
    fi
    apt-cache show pgbouncer >/dev/null 2>&1 || apt-get update --quiet >/dev/null
    say "installing pgbouncer"
    keep_debian_from_making_a_cluster
    install_without_starting pgbouncer
}

need_pgaudit() {
    [ -e /usr/lib/postgresql/15/lib/pgaudit.so ] && return
    if ! [ -x /usr/lib/postgresql/15/bin/postgres ] || ! may_install; then
        say "pgaudit is not installed, its test will be skipped; ask root for: apt-get install postgresql-15-pgaudit"
        return
    fi
    apt-cache show postgresql-15-pgaudit >/dev/null 2>&1 || apt-get update --quiet >/dev/null
    say "installing postgresql-15-pgaudit"
    install postgresql-15-pgaudit || say "this release has no package postgresql-15-pgaudit, its test will be skipped"
}

case "${1:-}" in
venv)
    need_python "$2"
    need_venv "$2"
    ;;
test)
    need_postgresql_15
    need_pgbouncer
    need_pgaudit
    ;;
*)
    say "usage: setup_debian.sh venv PYTHON | test"
    exit 2
    ;;
esac
