#!/bin/sh
# Makes .venv and installs into it what requirements.lock pins, Node.js included, the project itself, and
# what data/nodejs/package-lock.json pins. The Makefile runs it when one of them, or pyproject.toml, is newer
# than the last set-up.
#
# uv does the work: one from the PATH, else the one that requirements.lock pins, fetched by pip; where
# neither can be had, pip itself does it. Every download is checked against the hashes in the lock.
set -eu
cd "$(dirname "$0")/.."

is_supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; }

fail() {
    printf 'set-up: %s\n' "$*" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_supported "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
}

# Debian and Ubuntu ship Python without what `python3 -m venv` needs, as a package of its own.
install_venv_package() {
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    command -v apt-get >/dev/null || fail "$1 cannot make a virtual environment: its module ensurepip is missing."
    [ "$(id -u)" = 0 ] || fail "$1 cannot make a virtual environment yet. Type: sudo apt-get install $package"
    echo "set-up: installing $package, which Debian keeps apart from Python"
    apt-get install -y -q "$package" || { apt-get update -q && apt-get install -y -q "$package"; }
}

make_environment() {
    python=$(find_python)
    if command -v uv >/dev/null; then
        uv venv --quiet --clear --python "${python:->=3.11,<3.15}" .venv
        return
    fi
    [ -n "$python" ] || fail "Python 3.11 to 3.14 is needed, and ${PYTHON:-python3} is not one." \
        "On Debian 12 and Ubuntu 24.04: sudo apt-get install python3 python3-venv." \
        "Where it has another name or place: make PYTHON=/its/path ..."
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_package "$python"
    "$python" -m venv --clear .venv
}

# Prints the uv to use, nothing where there is none.
find_uv() {
    command -v uv && return
    if [ ! -x .venv/bin/uv ]; then
        awk '/^[^ #]/ { keep = /^uv==/ } keep' requirements.lock >.venv/uv.lock
        .venv/bin/python -m pip install --quiet --require-hashes -r .venv/uv.lock >&2 || {
            echo "set-up: uv cannot be had; going on with pip, which takes longer" >&2
            return
        }
    fi
    echo .venv/bin/uv
}

install() {
    if [ -n "$uv" ]; then
        "$uv" pip install --quiet --python .venv/bin/python "$@"
    else
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
    fi
}

has_jdk() { .venv/bin/python -c 'from helpers.java import find; find()' 2>/dev/null; }

# Notebooks with Java functions compile and run them with the machine's JDK. Everything else works
# without one, so that nothing here ends the set-up.
provide_jdk() {
    has_jdk && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "set-up: installing default-jdk-headless, for the notebooks with Java functions"
        apt-get install -y -q default-jdk-headless ||
            { apt-get update -q && apt-get install -y -q default-jdk-headless; } || true
        has_jdk && return
    fi
    advice=$(.venv/bin/python -c 'from helpers.java import how_to_get; print(how_to_get())')
    echo "set-up: no JDK 17 or newer was found; notebook 04 needs one, the others do not. To get one: $advice" >&2
}

echo "set-up: installing into .venv; the first time takes a few minutes"
is_supported .venv/bin/python || make_environment
uv=$(find_uv)
lock=requirements.lock
if [ -z "$uv" ]; then
    lock=.venv/without-uv.lock
    awk '/^[^ #]/ { keep = !/^uv==/ } keep' requirements.lock >$lock
fi
install --require-hashes -r $lock
# No build isolation: the build uses the setuptools that was just installed from the lock.
install --no-deps --no-build-isolation --editable .
# The AWS SDK for JavaScript and esbuild. Only Node.js functions need them, so the set-up goes on without.
.venv/bin/python -m helpers.node_packages || true
provide_jdk
touch .venv/set-up-done
