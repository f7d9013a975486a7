#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the autograder's image.
set -euo pipefail

course=/autograder/source/course

apt-get -q update
DEBIAN_FRONTEND=noninteractive apt-get -q install --yes --no-install-recommends \
    bubblewrap ca-certificates python3 python3-venv

# The distribution's Python may be older than the kit needs: uv brings one along.
python3 -m venv /opt/uv
/opt/uv/bin/pip install --quiet uv
export UV_PYTHON_INSTALL_DIR=/opt/python
/opt/uv/bin/uv venv --quiet --python 3.12 /opt/kit
/opt/uv/bin/uv pip install --quiet --python /opt/kit/bin/python \
    --constraint "$course/requirements.lock" "${course}[grade]"
/opt/kit/bin/kit --version
