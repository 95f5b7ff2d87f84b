#!/bin/bash
# Fetches the wheel, holds it against the hash in its key, and runs its setup.sh.
set -euo pipefail
PROGRAM=$ROOT/opt/crypto-assets
FILE=$PROGRAM/${WHEEL##*/}
INSTANCE=$(<"$ROOT/var/lib/cloud/data/instance-id")
status=FAILURE

report() { # refused where no update waits for it
  aws cloudformation signal-resource --stack-name "$STACK" --logical-resource-id Instance \
    --unique-id "$INSTANCE" --status "$status" || true
}
trap report EXIT

retry() { # for ten minutes
  for _ in {1..60}; do
    if "$@"; then return; fi
    sleep 10
  done
  return 1
}

mkdir -p "$PROGRAM"
dnf install -y -q python3.11
retry aws s3 cp --only-show-errors "s3://$BUCKET/$WHEEL" "$FILE"
sha256sum --check --quiet <<<"$(cut -d / -f 2 <<<"$WHEEL")  $FILE"
python3.11 -m zipfile -e "$FILE" "$PROGRAM/wheel"
# shellcheck source=setup.sh
. "$PROGRAM/wheel/crypto_assets/setup.sh"
status=SUCCESS
