#!/bin/sh
# make-secrets.sh [FOLDER]: makes the secrets that compose.yaml mounts, each in a file of its own,
# in FOLDER (deploy/secrets if not given). A file that is there already is never touched.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
cd "$folder"

# The folder keeps people out. The files themselves must be readable by whatever uid reads them in
# its container: Compose mounts them with the owner and the mode they have here.
chmod 0700 .
umask 0222

random() {
    od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'
}

# keep FILE: writes its input to FILE, unless FILE is there.
keep() {
    if [ -e "$1" ]; then
        echo "kept  $1"
        cat >/dev/null
    else
        # Whole or not at all: a half-written secret would be kept for ever.
        cat >"$1.new"
        mv "$1.new" "$1"
        echo "made  $1"
    fi
}

for secret in jwt_secret decoy_secret postgres_password database_password \
    database_owner_password redis_password; do
    random | keep "$secret"
done

# The service may read and write rows; the owner, who migrates, may also change tables.
printf 'postgresql://auth:%s@postgres:5432/auth' "$(cat database_password)" | keep database_url
printf 'postgresql://auth_owner:%s@postgres:5432/auth' "$(cat database_owner_password)" |
    keep database_owner_url

# Without the password one may ask whether Redis lives, and nothing else.
printf 'redis://auth:%s@redis:6379/0' "$(cat redis_password)" | keep redis_url
keep redis_acl <<END
user default on nopass sanitize-payload resetkeys resetchannels -@all +ping
user auth on >$(cat redis_password) ~* &* +@all -@admin -@dangerous +info
END
