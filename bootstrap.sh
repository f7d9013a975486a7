#!/bin/sh
# Sets up .venv with one level of the kit, once:   sh bootstrap.sh grade|lab|dev [check]
# With `check` it only says, in one line, what is missing for that.
#
# PYTHON=... names the interpreter. A change of pyproject.toml or requirements.lock installs again;
# a set-up that was interrupted, or a project that was moved, is set up anew. An environment that
# somebody else made in .venv is used, and never deleted.
set -eu
cd "$(dirname "$0")"
level=$1
state="$(cat pyproject.toml requirements.lock | cksum) $PWD"

stop() {
    printf '%s\n' "$*" >&2
    exit 3
}

# Exit status 4: unfit; 5: no venv module; anything else but 0: does not run. Python 2 reads it too.
# The wheel of PostgreSQL has binaries for these Pythons (see requires-python in pyproject.toml).
fit='(3, 11) <= sys.version_info[:2] < (3, 15)'
range='Python 3.11 to 3.14'
probe='import sys
print("%d.%d" % sys.version_info[:2])
if not '"$fit"': sys.exit(4)
try: import ensurepip, venv
except ImportError: sys.exit(5)'
identity="import os, sys
if not $fit: sys.exit(4)
print(os.path.realpath(sys.base_prefix), sys.version_info[:3])"

environment_fits() {
    found=$(.venv/bin/python -c "$identity" 2>/dev/null) || return 1
    [ -z "${PYTHON:-}" ] || [ "$found" = "$("$PYTHON" -c "$identity" 2>/dev/null)" ] || return 1
    [ ! -e .venv/.kit-made ] ||
        { [ "$(cat .venv/.kit-made)" = "$PWD" ] && [ ! -e .venv/.kit-unfinished ]; }
}

level_is_installed() {
    [ "$(cat ".venv/.kit-$level" 2>/dev/null)" = "$state" ] && [ ! -e .venv/.kit-unfinished ]
}

choose_python() { # sets $python to the first that is fit, or stops and names the nearest miss
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3.14 python3 python
    fi
    old="" venvless=""
    for python in "$@"; do
        if version=$("$python" -c "$probe" 2>/dev/null); then return; else status=$?; fi
        case $status in
        4) [ -n "$old" ] || old="$python is Python $version" ;;
        5) [ -n "$venvless" ] || venvless="$python has no venv module: install it (Debian and Ubuntu: \
sudo apt install python$version-venv), then try again." ;;
        esac
    done
    [ -z "$venvless" ] || stop "$venvless"
    [ -z "$old" ] || stop "The kit needs $range, and $old: install one of them," \
        "or name it: make PYTHON=/path/to/python3.13"
    [ -z "${PYTHON:-}" ] || stop "PYTHON=$PYTHON does not run: name a $range."
    stop "The kit needs $range, and none was found: install one, then try again."
}

create_environment() {
    rm -rf .venv
    mkdir .venv
    printf '%s\n' "$PWD" >.venv/.kit-made
    : >.venv/.kit-unfinished
    "$python" -m venv .venv
}

install() { # with -qq nothing is told but errors
    PIP_USER=0 .venv/bin/python -m pip install "$1" --disable-pip-version-check --no-input \
        --no-color -c requirements.lock -e ".[$level]"
}

somebody_watches() {
    [ -t 1 ] && [ -z "${CI:-}" ] && [ "${TERM:-dumb}" != dumb ]
}

show_what_pip_does() { # in one line that is written over again and again, and is gone at the end
    packages=0
    while read -r word what more; do
        case "$word $what" in
        Collecting*) packages=$((packages + 1)) say="package $packages: ${what%%[!A-Za-z0-9._-]*}" ;;
        Downloading*) say="package $packages: downloading ${what##*/}" ;;
        Building* | Preparing*) say="preparing the kit itself" ;;
        "Installing collected") say="unpacking $packages packages" ;;
        *) continue ;;
        esac
        printf '\r\033[K  %.70s' "$say"
    done
    printf '\r\033[K'
}

python=""
if environment_fits; then
    if level_is_installed; then exit 0; fi
else
    [ ! -e .venv ] || [ -e .venv/.kit-made ] || stop "Something that the kit did not make is in .venv" \
        "and is not the Python that is needed: move it away, then try again."
    choose_python
fi
if [ "${2:-}" = check ]; then exit 0; fi

[ -z "$python" ] || create_environment
printf 'Setting up .venv for "%s" with Python %s (once; it takes a few minutes)\n' "$level" \
    "$(.venv/bin/python -c 'import platform; print(platform.python_version())')"
: >.venv/.kit-unfinished
.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
if somebody_watches; then
    # A pipe's exit status is that of its end, so that a failure of pip is noted in a file.
    rm -f .venv/.kit-failed
    { install --progress-bar=off 2>.venv/.kit-said || cat .venv/.kit-said >.venv/.kit-failed; } |
        show_what_pip_does
    [ ! -e .venv/.kit-failed ] || { cat .venv/.kit-failed >&2 && false; }
else
    printf 'Installing packages with pip. Nothing more is said until that is done.\n'
    install -qq
fi || stop "pip could not install the kit, for the reason above: mend it, then try again."
case $level in
grade) contained="grade" ;;
lab) contained="grade lab" ;;
*) contained="grade lab dev" ;;
esac
for level in $contained; do printf '%s\n' "$state" >".venv/.kit-$level"; done
rm .venv/.kit-unfinished
