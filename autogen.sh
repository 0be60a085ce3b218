#!/bin/sh
# autogen.sh - make ./configure. Needs autoconf, automake, pkg-config.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
autoreconf --install --force --warnings=all
