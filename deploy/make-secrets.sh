#!/bin/sh
# make-secrets.sh [FOLDER]: makes the secrets that compose.yaml mounts, one file for each secret, in
# FOLDER (default: deploy/secrets). It never changes an existing file.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
cd "$folder"

# Only the owner may read the folder. The files must be readable for all users, because Compose
# mounts them with this owner and mode, and each container reads them with another uid.
chmod 0700 .
umask 0222

random() {
    od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'
}

# keep FILE: writes its standard input to FILE, unless FILE exists.
keep() {
    if [ -e "$1" ]; then
        echo "kept  $1"
        cat >/dev/null
    else
        # The rename is atomic: a later run would keep a half-written secret.
        cat >"$1.new"
        mv "$1.new" "$1"
        echo "made  $1"
    fi
}

for secret in jwt_secret decoy_secret postgres_password database_password \
    database_owner_password redis_password; do
    random | keep "$secret"
done

# The role `auth` may read and write rows. The role `auth_owner`, for migrations, may change tables.
printf 'postgresql://auth:%s@postgres:5432/auth' "$(cat database_password)" | keep database_url
printf 'postgresql://auth_owner:%s@postgres:5432/auth' "$(cat database_owner_password)" |
    keep database_owner_url

# Without a password, a client may only send PING (for the health check).
printf 'redis://auth:%s@redis:6379/0' "$(cat redis_password)" | keep redis_url
keep redis_acl <<END
user default on nopass sanitize-payload resetkeys resetchannels -@all +ping
user auth on >$(cat redis_password) ~* &* +@all -@admin -@dangerous +info
END
