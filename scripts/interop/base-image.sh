# Sourced by the checks of images: what they need from Debian, a storage of their own for buildah, and stand-ins for AWS's base
# image, which cannot be had everywhere: Debian on both architectures, localhost/derive-base:amd64 and :arm64.
packages=(buildah debootstrap runc qemu-user-static)
missing=()
for package in "${packages[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
if [[ ${#missing[@]} -gt 0 ]]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

images=${INTEROP_IMAGES:-${TMPDIR:-/tmp}/derive-interop-images}
mkdir -p "$images"
export CONTAINERS_STORAGE_CONF=$images/storage.conf
cat >"$CONTAINERS_STORAGE_CONF" <<EOF
[storage]
driver = "overlay"
graphroot = "$images/storage"
runroot = "$images/run"
EOF

for architecture in amd64 arm64; do
  buildah images --quiet "localhost/derive-base:$architecture" >/dev/null 2>&1 && continue
  echo "Making a base image for $architecture"
  rm -rf "$images/root"
  # Only unpacked, not configured, where it is another architecture: nothing of it runs while images are built.
  [[ $architecture == $(dpkg --print-architecture) ]] && stage=() || stage=(--foreign)
  debootstrap --variant=minbase ${stage[@]+"${stage[@]}"} --arch="$architecture" bookworm "$images/root" >"$images/debootstrap.log" 2>&1
  [[ -L $images/root/proc ]] && rm "$images/root/proc" && mkdir "$images/root/proc" # where it is only unpacked
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$images/root" / >/dev/null
  buildah config --arch "$architecture" --os linux "$container"
  buildah commit --quiet --rm "$container" "localhost/derive-base:$architecture" >/dev/null
  rm -rf "$images/root"
done
