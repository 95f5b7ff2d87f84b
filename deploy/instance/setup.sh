# shellcheck shell=bash
# Makes a new instance serve `crypto-assets ui` from the home volume, as root; user-data.sh runs it.
#
# The variables ROOT (the folder of a test, else empty), VOLUME and SETTINGS are the template's; PROGRAM,
# FILE, INSTANCE and `retry` are those of user-data.sh. Whatever fails ends the whole with a failure.
home=$ROOT/var/lib/crypto-assets
device=$ROOT/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME/-/}

attach_home() { # the instance before this one lets the volume go when it ends
  retry aws ec2 attach-volume --volume-id "$VOLUME" --instance-id "$INSTANCE" --device /dev/sdf
  retry test -e "$device"
}

format_if_blank() { # blkid: 0 something, 2 nothing or not to be read; mkfs, unforced, fails on all but nothing
  local found=0
  blkid --probe "$device" || found=$?
  if [ "$found" = 2 ]; then mkfs.xfs -q "$device"; else return "$found"; fi
}

mount_home() { # the user's number is that of the files on the volume
  useradd --system --uid 900 --home-dir "$home" --shell /sbin/nologin crypto-assets
  mkdir -p "$home"
  echo "$device $home xfs noatime,nofail,x-systemd.growfs 0 0" >>"$ROOT/etc/fstab"
  mount "$home"
  chown crypto-assets: "$home"
  chmod 700 "$home"
}

install_wheel() { # TMPDIR: /tmp is in memory, and PySpark is large
  local pip=("$PROGRAM/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps)
  python3.11 -m venv "$PROGRAM"
  TMPDIR=$PROGRAM "${pip[@]}" --require-hashes -r "$PROGRAM/wheel/crypto_assets/product.lock"
  "${pip[@]}" "$FILE"
}

start_ui() {
  echo "$SETTINGS" >"$ROOT/etc/crypto-assets.env"
  cat >"$ROOT/etc/systemd/system/crypto-assets.service" <<UNIT
[Unit]
Description=crypto-assets ui
Wants=network-online.target
After=network-online.target
RequiresMountsFor=$home

[Service]
User=crypto-assets
WorkingDirectory=$home
Environment=CRYPTO_ASSETS_HOME=$home
EnvironmentFile=$ROOT/etc/crypto-assets.env
ExecStart=$PROGRAM/bin/crypto-assets ui
Restart=on-failure
RestartSec=10
NoNewPrivileges=yes
ProtectSystem=full
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable --now crypto-assets
  retry curl --fail --silent --output /dev/null http://127.0.0.1:3000/server_info
}

attach_home
format_if_blank
mount_home
install_wheel
start_ui
