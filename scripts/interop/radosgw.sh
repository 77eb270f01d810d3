#!/usr/bin/env bash
# Ceph's radosgw (Debian), over one monitor and one OSD that keeps all in memory: unpacks the packages into a folder of its own,
# starts the three, and runs check.ts over them. Neither root nor an installation: apt-get needs its package lists (apt-get update).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${INTEROP_FOLDER:-${TMPDIR:-/tmp}/derive-interop-radosgw}
port=${INTEROP_PORT:-9313}
root=$folder/root
libraries=$root/usr/lib/$(uname -m)-linux-gnu

if [[ ! -x $root/usr/bin/radosgw ]]; then
  mkdir -p "$folder/debs/partial" "$root"
  apt-get install --yes --quiet=2 --no-install-recommends --download-only \
    -o Debug::NoLocking=1 -o "Dir::Cache::archives=$folder/debs" radosgw ceph-mon ceph-osd >/dev/null
  for package in "$folder"/debs/*.deb; do dpkg --extract "$package" "$root"; done
fi
export PATH=$root/usr/bin:$PATH LD_LIBRARY_PATH=$libraries:$libraries/ceph:$root/lib/$(uname -m)-linux-gnu PYTHONPATH=$root/usr/lib/python3/dist-packages

state=$folder/state
rm -rf "$state"
mkdir -p "$state"/{mon,osd,rgw,run}
fsid=$(</proc/sys/kernel/random/uuid)
export CEPH_CONF=$state/ceph.conf CEPH_ARGS="--conf $state/ceph.conf"
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $fsid
mon initial members = a
mon host = v2:127.0.0.1:$((port + 1000))/0
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
mon allow pool size one = true
osd pool default size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
osd class dir = $libraries/rados-classes
plugin dir = $libraries/ceph
erasure code dir = $libraries/ceph/erasure-code
mon data = $state/mon
osd data = $state/osd
rgw data = $state/rgw
run dir = $state/run
admin socket = $state/run/\$name.asok
log file = $state/\$name.log
pid file =
rgw frontends = beast endpoint=127.0.0.1:$port
CONF

monmaptool --create --addv a "v2:127.0.0.1:$((port + 1000))" --fsid "$fsid" "$state/monmap" >/dev/null
ceph-mon --mkfs -i a --monmap "$state/monmap"
servers=()
trap 'kill "${servers[@]}" 2>/dev/null; wait "${servers[@]}" 2>/dev/null || true' EXIT
ceph-mon -f -i a >"$state/mon.out" 2>&1 &
servers+=($!)

ceph=(/usr/bin/python3 "$root/usr/bin/ceph" --connect-timeout 30)
osd=$("${ceph[@]}" osd create "$fsid" 2>"$state/ceph.out")
ceph-osd -i "$osd" --mkfs --osd-uuid "$fsid" 2>"$state/osd.out"
ceph-osd -f -i "$osd" >>"$state/osd.out" 2>&1 &
servers+=($!)
radosgw -f -n client.rgw >"$state/rgw.out" 2>&1 &
servers+=($!)

# Of conditions it knows If-None-Match alone, and not for the end of an upload in parts.
export S3_TEST_CONDITIONAL=false S3_TEST_ACCESS_KEY=testing-access-key S3_TEST_SECRET_KEY=testing-secret-key
timeout 60 radosgw-admin user create --uid testing --display-name testing \
  --access-key "$S3_TEST_ACCESS_KEY" --secret-key "$S3_TEST_SECRET_KEY" >"$state/user.out" 2>&1
for _ in $(seq 300); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.2
done
node_modules/.bin/bun scripts/interop/check.ts "http://127.0.0.1:$port"
