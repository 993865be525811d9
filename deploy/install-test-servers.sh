#!/bin/sh
# Installs the real peers that the tests talk to. Without root or apt it says so, and those tests skip with a reason.
set -u
packages="dcmtk dicom3tools orthanc orthanc-dicomweb pixelmed-apps poppler-utils postgresql chromium"
absent=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || absent="$absent $package"
done
[ -z "$absent" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not installed:$absent. As root: apt-get install$absent. Tests that need them will be skipped."
    exit 0
fi
echo "Installing$absent"
export DEBIAN_FRONTEND=noninteractive
# Nothing here needs these servers as daemons: the tests start their own on free ports.
guard=/usr/sbin/policy-rc.d
made_guard=""
if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod +x "$guard" && made_guard=yes
fi
apt-get update -qq && apt-get install -y -qq --no-install-recommends $absent >/dev/null
status=$?
[ -n "$made_guard" ] && rm -f "$guard"
[ "$status" -eq 0 ] || echo "apt-get could not install all of:$absent. Tests that need them will be skipped."
exit 0
